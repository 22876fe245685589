-- KEYS[1] the entry, KEYS[2] its lock; ARGV[1] the lock's token, ARGV[2] the value, ARGV[3] TTL (s)
-- Deleting an entry deletes its lock: a value that was computed from what changed then is not stored
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
