-- KEYS[1] sessions:{user}, KEYS[2] left:{user}; ARGV[1] how long no session may begin (s), 0 where one may
-- Ends all sessions of a user; returns how many there were
local count = 0
for _, hash in ipairs(redis.call('SMEMBERS', KEYS[1])) do
    count = count + redis.call('DEL', 'session:' .. hash)
end
redis.call('DEL', KEYS[1])
if tonumber(ARGV[1]) > 0 then redis.call('SET', KEYS[2], 1, 'EX', ARGV[1]) end
return count
