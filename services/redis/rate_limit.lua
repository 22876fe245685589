-- KEYS[1] ratelimit:{identifier}; ARGV[1] length of the window (s). How many came, ms until it ends
local left = redis.call('PTTL', KEYS[1])
if left <= 0 then
    -- A new window, or a key that somebody left without an end.
    redis.call('SET', KEYS[1], 1, 'EX', ARGV[1])
    return { 1, ARGV[1] * 1000 }
end
return { redis.call('INCR', KEYS[1]), left }
