-- KEYS[1] the entry, KEYS[2] who makes it; ARGV[1] a token, ARGV[2] how long its maker may take (ms)
local found = redis.call('GET', KEYS[1])
if found then return { found, 0 } end
local first = redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2])
return { false, first and 1 or 0 }
