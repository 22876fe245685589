-- KEYS[1] session:{hash}; ARGV[1] now (s), ARGV[2] idle (s). Returns the session, or nil
local found = redis.call('HMGET', KEYS[1], 'user', 'data', 'created_at', 'ends_at')
if not found[1] then return false end
local left = tonumber(found[4]) - tonumber(ARGV[1])
if left <= 0 then
    redis.call('DEL', KEYS[1])
    redis.call('SREM', 'sessions:' .. found[1], string.sub(KEYS[1], #'session:' + 1))
    return false
end
-- Using it moves its end on, but never beyond ends_at.
redis.call('EXPIRE', KEYS[1], math.min(tonumber(ARGV[2]), math.ceil(left)))
return found
