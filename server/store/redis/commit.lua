-- One subject's values change together, or not at all. Returns 0 when the change did not land, else 1 plus the number of
-- keys that were removed.
--
-- KEYS: preference, profile, seen, all in one slot; then preference and profile of each linked subject.
-- ARGV: 1  position of the choice in a preference record, counted from 1
--       2  the choices under which something may be recorded, one byte each
--       3  the expected preference, 4 the expected profile; empty is none
--       5  what to do with each key, one letter each: k keep, s set, d delete
--       6  the new preference, 7 the new profile, 8 the new seen
--       9  seconds to live of the profile, 10 of seen
--       11 seconds to live of the preference; 0 is for good
--       12 the size in bytes over which a value is none of ours
--       13 and on: the expected preferences of the linked subjects

local UNREADABLE = '\0'

-- A value of another type, too large or empty is never taken for absence.
local function held(key)
  local size = redis.pcall('STRLEN', key)
  if type(size) ~= 'number' or size > tonumber(ARGV[12]) then return UNREADABLE end
  local value = redis.call('GET', key)
  if value == false then return '' end
  return value == '' and UNREADABLE or value
end

local function allows(preference)
  local choice = string.byte(preference, tonumber(ARGV[1]))
  return choice ~= nil and string.find(ARGV[2], string.char(choice), 1, true) ~= nil
end

local preference, profile = held(KEYS[1]), held(KEYS[2])
local function action(index) return string.sub(ARGV[5], index, index) end
local records = action(2) == 's' or action(3) == 's'

-- A choice or an erasure does not depend on the profile: it must land however busily others write that.
if preference ~= ARGV[3] or (records and profile ~= ARGV[4]) then return 0 end

-- A linked subject's profile without a preference is evidence that an opt-out may have been lost.
for index = 4, #KEYS, 2 do
  local expected = ARGV[11 + index / 2]
  if held(KEYS[index]) ~= expected or (expected == '' and held(KEYS[index + 1]) ~= '') then return 0 end
end

local function after(index, before)
  return action(index) == 's' and ARGV[5 + index] or action(index) == 'd' and '' or before
end

local preference_after, profile_after = after(1, preference), after(2, profile)

-- Nothing is recorded of a person who has opted out, nor in the step that opts in again.
if records then
  if preference ~= '' and not allows(preference) then return 0 end
  if not allows(preference_after) then return 0 end
end

-- No removal lifts an opt-out, and none leaves a profile without its preference.
if action(1) == 'd' then
  if preference ~= '' and not allows(preference) then return 0 end
  if profile_after ~= '' then return 0 end
end

local answer = 1
for index = 1, 3 do
  if action(index) == 'd' then
    answer = answer + redis.call('DEL', KEYS[index])
  elseif action(index) == 's' and index == 1 and ARGV[11] == '0' then
    redis.call('SET', KEYS[index], ARGV[6])
  elseif action(index) == 's' and index == 1 then
    redis.call('SET', KEYS[index], ARGV[6], 'EX', ARGV[11])
  elseif action(index) == 's' then
    redis.call('SET', KEYS[index], ARGV[5 + index], 'EX', ARGV[7 + index])
  end
end
return answer
