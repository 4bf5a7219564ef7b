-- What bodies, paths and queries share: how a name or a value is shown, how problems are collected, what a scalar may be.

-- Problems that are told at once, as the services do.
local MAX_PROBLEMS = 20

-- Collects sentences. It raises the list of them as an error when it is full: nothing is read after that.
local function new_problems()
  local list = {}
  return list, function(sentence)
    list[#list + 1] = sentence
    if #list == MAX_PROBLEMS then error(list, 0) end
  end
end

-- What `find` raises when it is a list of problems, else what it returns.
local function problems_in(find)
  local ok, found = pcall(find)
  if ok or type(found) == "table" then return found end
  return error(found, 0)
end

-- Of a text that the caller has made up, what goes into the answer.
local function shown(text)
  local printable = text:gsub("[^\32-\126]", "?")
  return #printable > 64 and printable:sub(1, 64) .. "..." or printable
end

-- The digits of the greatest number of a type; the least is one further from 0.
local GREATEST = { int32 = "2147483647", int64 = "9223372036854775807" }

local WHOLE = {}
for scalar, greatest in pairs(GREATEST) do
  local least = "-" .. greatest:gsub("7$", "8")
  WHOLE[scalar] = "must be a whole number from " .. least .. " to " .. greatest .. ", in decimal digits"
end

-- Whether a text is a whole number in digits: no plus sign, no fraction, no exponent, no zeros before it, no spaces.
local function is_whole(text, scalar)
  local sign, digits = text:match("^(%-?)([1-9]%d*)$")
  if not digits then return text == "0" or text == "-0" end
  local limit = GREATEST[scalar]
  if sign == "-" then limit = limit:gsub("7$", "8") end
  return #digits < #limit or #digits == #limit and digits <= limit
end

-- What is wrong with a value in quotes, in a path or in a query; nil when nothing is.
local function problem_of_text(text, scalar)
  if scalar == "string" or is_whole(text, scalar) then return nil end
  return 'invalid value "' .. shown(text) .. '": ' .. WHOLE[scalar]
end

-- What is wrong with a value that stands in JSON without quotes.
local function problem_of_bare(token, scalar)
  if scalar ~= "string" and is_whole(token, scalar) then return nil end
  return "invalid value " .. shown(token) .. ": " .. (WHOLE[scalar] or "must be a text in double quotes")
end
