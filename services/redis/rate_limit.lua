-- KEYS[1] ratelimit:{identifier}; ARGV[1] length of the window (s)
-- Returns how many requests came in the window, and the milliseconds until it ends
local left = redis.call('PTTL', KEYS[1])
if left <= 0 then
    -- No window yet, or a key without an end, which would count for ever.
    redis.call('SET', KEYS[1], 1, 'EX', ARGV[1])
    return { 1, ARGV[1] * 1000 }
end
return { redis.call('INCR', KEYS[1]), left }
