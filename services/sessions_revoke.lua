-- KEYS[1] sessions:{user}. All sessions of a user; how many there were
local count = 0
for _, hash in ipairs(redis.call('SMEMBERS', KEYS[1])) do
    count = count + redis.call('DEL', 'session:' .. hash)
end
redis.call('DEL', KEYS[1])
return count
