-- KEYS[1] a lock; ARGV[1] the token it was taken with
-- A lock that ended by itself may be another holder's by now: only its own token releases it
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
