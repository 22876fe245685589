-- KEYS[1] the entry, KEYS[2] its lock; ARGV[1] a token, ARGV[2] how long the lock lasts (ms)
-- Returns the value or nil, and whether the lock was acquired to compute it
local found = redis.call('GET', KEYS[1])
if found then return { found, 0 } end
local acquired = redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2])
return { false, acquired and 1 or 0 }
