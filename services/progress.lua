-- KEYS[1] training:{id}; ARGV progress, message, status, updated_at (ms), version (us), ttl, JSON
local final = { completed = true, failed = true, cancelled = true }
local known = redis.call('HMGET', KEYS[1], 'version', 'status', 'progress')
local is_final, was_final = final[ARGV[3]] or false, final[known[2]] or false

if known[1] and is_final == was_final then
    local older = tonumber(ARGV[5]) - tonumber(known[1])
    if older < 0 or older == 0 and tonumber(ARGV[1]) <= tonumber(known[3]) then return 0 end
elseif was_final then
    return 0
end

redis.call('HSET', KEYS[1], 'progress', ARGV[1], 'message', ARGV[2], 'status', ARGV[3],
    'updated_at', ARGV[4], 'version', ARGV[5])
redis.call('EXPIRE', KEYS[1], ARGV[6])
redis.call('PUBLISH', KEYS[1], ARGV[7])
return 1
