-- Refuses in a body what the transcoder would take for JSON: text that RFC 8259 does not allow, such as a comma at the end, fields that
-- the contract does not have, fields that are there twice, of which another reader may take another one, an element that is null,
-- which it drops, and a scalar in another form than the contract's. How text is encoded the transcoder says; the rules of the
-- contract are the services'. A field that is null is one that is left out, as protobuf's JSON has it.

-- Levels of a body; far more than a contract has, far less than Lua can go down.
local MAX_DEPTH = 100

local LITERALS = { t = "^true", f = "^false", n = "^null" }
local DELIMITERS = { [","] = true, ["}"] = true, ["]"] = true }
local SPACES = { [" "] = true, ["\t"] = true, ["\r"] = true, ["\n"] = true }

-- A name as it is without \u escapes of ASCII. Other escapes are in no field's name, and in no number.
local function unescaped(name)
  return (name:gsub("\\u(%x%x%x%x)", function(hex)
    local code = tonumber(hex, 16)
    return code < 128 and string.char(code) or nil
  end))
end

-- What is wrong with a text as the JSON of `body`, as a list of sentences; empty when nothing is.
local function problems_of(text, body)
  local at = 1
  local problems, add = new_problems()
  local names = {} -- by its level, what leads to the value that is read: a name, or an index
  local value

  local function report(depth, rule)
    local path = body.name
    for level = 1, depth do
      local name = names[level]
      local part = type(name) == "number" and "[" .. name .. "]" or (path == "" and "" or ".") .. shown(name)
      path = path .. part
    end
    add((path == "" and "the body" or path) .. ": " .. rule)
  end

  local function refuse(why) error({ why }, 0) end

  local function fail(expected)
    local found = at > #text and "the text ends" or 'stands "' .. shown(text:sub(at, at)) .. '"'
    refuse("The body must be JSON by RFC 8259: at byte " .. at .. " " .. found .. ", where " .. expected)
  end

  -- The next byte that is not white space; empty at the end.
  local function peek()
    local byte = text:sub(at, at)
    if not SPACES[byte] then return byte end
    at = text:find("[^ \t\r\n]", at) or #text + 1
    return text:sub(at, at)
  end

  -- Goes past what a pattern finds just here; nil when it finds nothing.
  local function past(pattern)
    local _, last = text:find(pattern, at)
    if last then at = last + 1 end
    return last
  end

  local function quoted()
    local first = at + 1
    if past('^"[^"\\%z\1-\31]*"') then return text:sub(first, at - 2) end
    at = first
    while not past('^"') do
      if not (past('^[^"\\%z\1-\31]+') or past('^\\["\\/bfnrt]') or past("^\\u%x%x%x%x")) then
        fail("a text goes on, or ends with a double quote")
      end
    end
    return unescaped(text:sub(first, at - 2))
  end

  -- Goes past a number, true, false or null, and returns it as it stands there.
  local function bare(first)
    local from = at
    local literal = LITERALS[first]
    if literal and past(literal) then return text:sub(from, at - 1) end
    if not (past("^%-?[1-9]%d*") or past("^%-?0")) then fail("a value must be") end
    local follows = text:sub(at, at)
    if follows == "." then past("^%.%d+") end
    if not DELIMITERS[follows] then past("^[eE][+-]?%d+") end
    return text:sub(from, at - 1)
  end

  -- Goes past an opening bracket; whether anything stands before the closing one, which it goes past, too.
  local function opened(close)
    at = at + 1
    if peek() ~= close then return true end
    at = at + 1
    return false
  end

  -- Goes past a comma or the closing bracket; whether it was the comma.
  local function goes_on(close)
    local byte = peek()
    if byte ~= "," and byte ~= close then fail('"," or "' .. close .. '" must be') end
    at = at + 1
    return byte == ","
  end

  local function object(message, depth)
    local fields, seen = messages[message], {}
    local more = opened("}")
    while more do
      if peek() ~= '"' then fail("a name in double quotes must be") end
      local key = quoted()
      local field = fields and fields[key]
      names[depth] = key
      if fields and not field then report(depth, "must be left out, it is no field of " .. message) end
      if field and seen[field.name] then report(depth, "must be given once, it is given again") end
      if field then seen[field.name] = true end
      if peek() ~= ":" then fail('":" must be') end
      at = at + 1
      value(field, depth)
      more = goes_on("}")
    end
  end

  local function array(field, depth)
    local element = field and { message = field.message, scalar = field.scalar, is_element = true }
    local more, index = opened("]"), 0
    while more do
      names[depth] = index
      value(element, depth)
      more, index = goes_on("]"), index + 1
    end
  end

  -- What a value is of that begins so, when it is not what the field must be; nil when it is, or when it is a scalar for a scalar.
  local function problem_of_form(field, first)
    local must = field.list and "[" or field.message and "{"
    if not must and first ~= "{" and first ~= "[" or first == must then return nil end
    local kind = must == "[" and "a list" or must == "{" and "an object" or "a single value"
    return "must be " .. kind .. ", and begins with " .. shown(first)
  end

  local function scalar(field, first)
    if first == '"' then
      local held = quoted()
      return field and problem_of_text(held, field.scalar)
    end
    local token = bare(first)
    return field and problem_of_bare(token, field.scalar)
  end

  -- Goes past a value. `field` says what it may be; nil, as below what is refused anyway: anything.
  function value(field, depth)
    local first = peek()
    local opens = first == "{" or first == "["
    if field and first == "n" and past("^null") then
      if field.is_element then report(depth, "must not be null: leave the element out") end
      return
    end
    local problem = field and problem_of_form(field, first)
    if problem then report(depth, problem) end
    if problem then field = nil end
    if opens and depth == MAX_DEPTH then refuse("The body is nested too deep: at most " .. MAX_DEPTH .. " levels") end
    if first == "[" then
      array(field, depth + 1)
    elseif first == "{" then
      object(field and field.message, depth + 1)
    else
      problem = scalar(field, first)
      if problem then report(depth, problem) end
    end
  end

  return problems_in(function()
    value(body, 0)
    if peek() ~= "" then fail("it must end") end
    return problems
  end)
end
