-- KEYS[1] session:{hash}, KEYS[2] sessions:{user}, KEYS[3] left:{user}; ARGV the hash, idle (s), longest (s),
-- then names and values of fields. Returns 0 where the account was closed, in the same step as it is looked for
if redis.call('EXISTS', KEYS[3]) == 1 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[3])
-- Sessions that ended by themselves are still in the index. A few are looked at whenever it grows, so that
-- it holds a bounded share of them, at a bounded cost.
for _, hash in ipairs(redis.call('SRANDMEMBER', KEYS[2], 10)) do
    if redis.call('EXISTS', 'session:' .. hash) == 0 then redis.call('SREM', KEYS[2], hash) end
end
return 1
