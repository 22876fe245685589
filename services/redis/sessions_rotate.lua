-- KEYS[1] session:{old}, KEYS[2] session:{new}, KEYS[3] sessions:{user}; ARGV their two hashes
-- Returns 0 where the session has ended
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('RENAME', KEYS[1], KEYS[2])
redis.call('SREM', KEYS[3], ARGV[1])
redis.call('SADD', KEYS[3], ARGV[2])
return 1
