-- One subject's values change together, or not at all. Answers 0 when the change did not land, else 1 and one more for
-- each key that was removed.
--
-- KEYS: preference, profile, seen, all in one slot; then preference and profile of each linked subject.
-- ARGV: 1  where in a preference record the choice stands, counted from 1
--       2  the choices under which something may be recorded, one byte each
--       3  the expected preference, 4 the expected profile; empty is none
--       5  what to do with each key, one letter each: k keep, s set, d delete
--       6  the new preference, 7 the new profile, 8 the new seen
--       9  seconds to live of the profile, 10 of seen
--       11 and on: the expected preferences of the linked subjects

local UNREADABLE = '\0'

-- What is no record, of another type or empty, is never taken for absence.
local function held(key)
  local value = redis.pcall('GET', key)
  if value == false then return '' end
  if type(value) ~= 'string' or value == '' then return UNREADABLE end
  return value
end

local function allows(preference)
  local choice = string.byte(preference, tonumber(ARGV[1]))
  return choice ~= nil and string.find(ARGV[2], string.char(choice), 1, true) ~= nil
end

local preference, profile = held(KEYS[1]), held(KEYS[2])
local function act(at) return string.sub(ARGV[5], at, at) end
local records = act(2) == 's' or act(3) == 's'

-- A choice, or an erasure, must not wait until nobody writes the profile any more.
if preference ~= ARGV[3] or (records and profile ~= ARGV[4]) then return 0 end

-- A linked subject's profile without a preference is evidence that an opt-out may have been lost.
for at = 4, #KEYS, 2 do
  local expected = ARGV[9 + at / 2]
  if held(KEYS[at]) ~= expected or (expected == '' and held(KEYS[at + 1]) ~= '') then return 0 end
end

local function after(at, before)
  return act(at) == 's' and ARGV[5 + at] or act(at) == 'd' and '' or before
end

local preference_after, profile_after = after(1, preference), after(2, profile)

-- Nothing is recorded of somebody who has opted out, and not in the step that opts in again.
if records then
  if preference ~= '' and not allows(preference) then return 0 end
  if not allows(preference_after) then return 0 end
end

-- No removal lifts an opt-out, and none leaves a profile without its preference.
if act(1) == 'd' then
  if preference ~= '' and not allows(preference) then return 0 end
  if profile_after ~= '' then return 0 end
end

local answer = 1
for at = 1, 3 do
  if act(at) == 'd' then
    answer = answer + redis.call('DEL', KEYS[at])
  elseif act(at) == 's' and at == 1 then
    redis.call('SET', KEYS[at], ARGV[6])
  elseif act(at) == 's' then
    redis.call('SET', KEYS[at], ARGV[5 + at], 'EX', ARGV[7 + at])
  end
end
return answer
