-- KEYS[1] training:{id}; ARGV progress, message, status, updated_at (ms), version (us), TTL (s), JSON,
-- then all final statuses. Returns 1 where the state was written and published, 0 where a newer one stood
local final = {}
for i = 8, #ARGV do final[ARGV[i]] = true end

-- Of two states the one of the greater rank stands; what follows the version only breaks ties,
-- so that events of the same instant end in the same state in any order.
local function rank(version, status, progress, message)
    return { final[status] and 1 or 0, tonumber(version), tonumber(progress),
        status == 'queued' and 0 or 1, message, status }
end

local function is_newer(new, old)
    for i = 1, #new do
        if new[i] ~= old[i] then return new[i] > old[i] end
    end
    return false
end

local known = redis.call('HMGET', KEYS[1], 'version', 'status', 'progress', 'message')
if known[1] and not is_newer(rank(ARGV[5], ARGV[3], ARGV[1], ARGV[2]),
        rank(known[1], known[2] or '', known[3] or 0, known[4] or '')) then
    return 0
end

redis.call('HSET', KEYS[1], 'progress', ARGV[1], 'message', ARGV[2], 'status', ARGV[3],
    'updated_at', ARGV[4], 'version', ARGV[5])
redis.call('EXPIRE', KEYS[1], ARGV[6])
redis.call('PUBLISH', KEYS[1], ARGV[7])
return 1
