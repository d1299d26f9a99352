-- Writes, reads and removes as commit.lua does, so that whatever would refuse a choice refuses this. Returns 1.
--
-- KEYS: a key of its own, which expires even if the script ends early.  ARGV: 1 the value, 2 seconds to live

-- First of all: once a script has written, a server that is out of memory lets it go on.
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
local kept = redis.call('STRLEN', KEYS[1]) == #ARGV[1] and redis.call('GET', KEYS[1]) == ARGV[1]
redis.call('DEL', KEYS[1])
return kept and 1 or 0
