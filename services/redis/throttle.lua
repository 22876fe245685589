-- KEYS[1] pace:{name}; ARGV[1] microseconds between slots, ARGV[2] how many ahead one may book (-1: any),
-- ARGV[3] how many ahead the next slot can be at most
-- Returns whether a slot was booked, and the microseconds to wait for it, or before asking again
local clock = redis.call('TIME') -- Redis's: the clocks of the processes differ
local now = clock[1] * 1000000 + clock[2]
local slot = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0))
-- Farther ahead than that, the clock went back since it was booked: nobody waits for it
if slot - now > tonumber(ARGV[3]) then slot = now end
local wait = slot - now
if tonumber(ARGV[2]) >= 0 and wait > tonumber(ARGV[2]) then
    return { 0, wait - ARGV[2] }
end
-- Written out: as a number Lua would round it to 14 digits.
redis.call('SET', KEYS[1], string.format('%.0f', slot + ARGV[1]), 'PX', math.ceil(wait / 1000) + 60000)
return { 1, wait }
