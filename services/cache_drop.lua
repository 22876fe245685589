-- KEYS[1] who makes an entry; ARGV[1] a token. Lets another try, unless another does already
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
