-- Reads a path and its query as strictly as a body. The transcoder takes the last of a key that is there twice, a plus sign before
-- a number, and a key of the query for what the path names; it passes over a key without a value.

-- A binding's pattern finds its paths; `named` are the fields that they hold.
for _, binding in ipairs(bindings) do
  binding.named = {}
  local pattern = binding.template:gsub("{([%w_]+)}", function(name)
    table.insert(binding.named, name)
    return "([^/]+)"
  end)
  binding.pattern = "^" .. pattern .. "$"
end

-- The binding of a request and what its path holds; nil when there is none. Slashes at the end say nothing, to the transcoder too.
local function binding_of(verb, path)
  path = path:gsub("/+$", "")
  for _, binding in ipairs(bindings) do
    if binding.verb == verb then
      local held = { path:match(binding.pattern) }
      if #held > 0 then return binding, held end
    end
  end
end

-- The names of the fields that the query of a binding may hold, by each name, and as a sentence.
local function query_fields_of(binding)
  local fields, names = {}, {}
  for key, field in pairs(messages[binding.message]) do
    if binding.body ~= "*" and binding.body ~= field.name then fields[key] = field end
  end
  for _, name in ipairs(binding.named) do
    for key, field in pairs(fields) do
      if field.name == name then fields[key] = nil end
    end
  end
  for key, field in pairs(fields) do
    if key == field.name then names[#names + 1] = key end
  end
  table.sort(names)
  return fields, #names > 0 and "it takes " .. table.concat(names, ", ") or "it takes nothing"
end

for _, binding in ipairs(bindings) do
  binding.query, binding.takes = query_fields_of(binding)
end

-- A text as it is without percent-encoding, and what is wrong with that encoding, or nil.
local function decoded(text)
  local problem = text:gsub("%%%x%x", ""):find("%", 1, true)
    and 'invalid value "' .. shown(text) .. '": must have two hexadecimal digits after each %'
  return text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end), problem or nil
end

-- What is wrong with a value as it stands in a path or in a query; nil when nothing is.
local function problem_of_encoded(value, scalar)
  local text, problem = decoded(value)
  return problem or problem_of_text(text, scalar)
end

-- What is wrong with a key of the query.
local function problem_of_key(key, binding, seen)
  local name = decoded(key)
  for _, named in ipairs(binding.named) do
    local field = messages[binding.message][name]
    if field and field.name == named then return "must be left out of the query, the path names it" end
  end
  local field = binding.query[name]
  if not field then
    return "must be left out, it is no field of the query of " .. binding.verb .. " " .. binding.template .. ": " .. binding.takes
  end
  if name ~= key then return "must be written without %, as " .. name end
  if seen[field.name] then return "must be given once, it is given again" end
  seen[field.name] = true
end

local function check_query(query, binding, report)
  local seen = {}
  for part in (query .. "&"):gmatch("([^&]*)&") do
    local key, value = part:match("^([^=]*)=(.*)$")
    key = key or part
    if key == "" then
      report('the query: must have a name before each value, and has "' .. shown(part) .. '"')
    else
      local problem = problem_of_key(key, binding, seen)
      if not problem and not value then problem = "must be followed by = and its value" end
      problem = problem or problem_of_encoded(value, binding.query[key].scalar)
      if problem then report(shown(key) .. ": " .. problem) end
    end
  end
end

-- What is wrong with a path and a query (nil when there is none), as a list of sentences; empty when nothing is.
local function problems_of_uri(binding, held, query)
  local problems, report = new_problems()
  return problems_in(function()
    for index, name in ipairs(binding.named) do
      local problem = problem_of_encoded(held[index], messages[binding.message][name].scalar)
      if problem then report(name .. ": " .. problem) end
    end
    if query and query ~= "" then check_query(query, binding, report) end
    return problems
  end)
end
