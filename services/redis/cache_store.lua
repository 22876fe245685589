-- KEYS[1] the entry, KEYS[2] who makes it; ARGV[1] a token, ARGV[2] the value, ARGV[3] TTL (s)
-- Whoever deleted the entry meanwhile deleted the token too: what was loaded before is old.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
