-- KEYS[1] a turn that was taken; ARGV[1] the token it was taken with. Lets others, unless it has ended already
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
