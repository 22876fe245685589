-- KEYS[1] session:{old}, KEYS[2] session:{new}, KEYS[3] sessions:{user}; ARGV their two hashes
-- Returns 0 where the session has ended
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('RENAME', KEYS[1], KEYS[2])
-- Added first: a set that loses its last member is deleted, and with it the time at which it ends.
redis.call('SADD', KEYS[3], ARGV[2])
redis.call('SREM', KEYS[3], ARGV[1])
-- Sessions that ended by themselves are still in the index. A few are looked at whenever it grows, so that
-- it holds a bounded share of them, at a bounded cost.
for _, hash in ipairs(redis.call('SRANDMEMBER', KEYS[3], 10)) do
    if redis.call('EXISTS', 'session:' .. hash) == 0 then redis.call('SREM', KEYS[3], hash) end
end
return 1
