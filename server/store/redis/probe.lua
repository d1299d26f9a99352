-- Writes, reads and removes as commit.lua does, so that whatever would refuse a choice refuses this. Returns 1.
--
-- KEYS: a key of its own, which expires.  ARGV: 1 the value, 2 seconds to live

redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
if redis.call('STRLEN', KEYS[1]) ~= #ARGV[1] then return 0 end
return redis.call('GET', KEYS[1]) == ARGV[1] and 1 or 0
