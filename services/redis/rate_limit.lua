-- KEYS[1] ratelimit:{identifier}; ARGV[1] length of the window (s)
-- Returns how many requests came in the window, and the milliseconds until it ends
local left = redis.call('PTTL', KEYS[1])
if left <= 0 or left > ARGV[1] * 1000 then
    -- No window yet, a key without an end, which would count for ever, or a clock that went back.
    redis.call('SET', KEYS[1], 1, 'EX', ARGV[1])
    return { 1, ARGV[1] * 1000 }
end
return { redis.call('INCR', KEYS[1]), left }
