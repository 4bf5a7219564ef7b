-- Refuses what the transcoder would take for JSON: text that RFC 8259 does not allow, such as a comma at the end, fields that the
-- contract does not have, and fields that are there twice, of which another reader may take another one. It asks no more than
-- that: what a scalar may be, and how text is encoded, the transcoder says; the rules of the contract are the services'.
-- The tables `bodies` and `messages` are those of json-bodies.lua, which stands before this.

-- Levels of a body; far more than a contract has, far less than Lua can go down.
local MAX_DEPTH = 100

-- Problems that are told at once, as the services do.
local MAX_PROBLEMS = 20

local LITERALS = { t = "^true", f = "^false", n = "^null" }
local DELIMITERS = { [","] = true, ["}"] = true, ["]"] = true }
local SPACES = { [" "] = true, ["\t"] = true, ["\r"] = true, ["\n"] = true }

-- Of a name that the caller has made up, what goes into the answer.
local function shown(name)
  local text = name:gsub("[^\32-\126]", "?")
  return #text > 64 and text:sub(1, 64) .. "..." or text
end

-- A name as it is without \u escapes of ASCII. Other escapes are in no field's name.
local function unescaped(name)
  return (name:gsub("\\u(%x%x%x%x)", function(hex)
    local code = tonumber(hex, 16)
    return code < 128 and string.char(code) or nil
  end))
end

-- What is wrong with a text as the JSON of `body`, as a list of sentences; empty when nothing is.
local function problems_of(text, body)
  local at = 1
  local problems = {}
  local names = {} -- by its level, what leads to the value that is read: a name, or an index
  local value

  local function report(depth, rule)
    local path = body.name
    for level = 1, depth do
      local name = names[level]
      local part = type(name) == "number" and "[" .. name .. "]" or (path == "" and "" or ".") .. shown(name)
      path = path .. part
    end
    problems[#problems + 1] = (path == "" and "the body" or path) .. ": " .. rule
    if #problems == MAX_PROBLEMS then error(problems, 0) end
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

  local function scalar(first)
    local literal = LITERALS[first]
    if literal and past(literal) then return end
    if not (past("^%-?[1-9]%d*") or past("^%-?0")) then fail("a value must be") end
    local follows = text:sub(at, at)
    if follows == "." then past("^%.%d+") end
    if not DELIMITERS[follows] then past("^[eE][+-]?%d+") end
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
    local element = field and { message = field.message }
    local more, index = opened("]"), 0
    while more do
      names[depth] = index
      value(element, depth)
      more, index = goes_on("]"), index + 1
    end
  end

  -- Goes past a value. `field` says what it may be; nil, as below what is refused anyway: anything.
  function value(field, depth)
    local first = peek()
    local opens = first == "{" or first == "["
    local must = field and (field.list and "[" or field.message and "{")
    if field and (opens or must) and first ~= must and not text:find("^null", at) then
      local kind = must == "[" and "a list" or must == "{" and "an object" or "a single value"
      report(depth, "must be " .. kind .. ", and begins with " .. shown(first))
      field = nil
    end
    if opens and depth == MAX_DEPTH then refuse("The body is nested too deep: at most " .. MAX_DEPTH .. " levels") end
    if first == "[" then
      array(field, depth + 1)
    elseif first == "{" then
      object(field and field.message, depth + 1)
    elseif first == '"' then
      quoted()
    else
      scalar(first)
    end
  end

  local ok, failure = pcall(function()
    value(body, 0)
    if peek() ~= "" then fail("it must end") end
  end)
  if ok then return problems end
  return type(failure) == "table" and failure or error(failure, 0)
end

-- Why a request is refused; nil when it is not.
local function refusal(request)
  local headers = request:headers()
  local method, path = headers:get(":method"), headers:get(":path"):match("^[^?]*")
  if not path:find("^/api/") then return nil end
  local content = request:body() -- waits, after which `headers` is dead
  if not content or content:length() == 0 then return nil end
  if method == "GET" then return "A GET must have no body here: the path and the query say all" end
  local body = method == "POST" and bodies[(path:gsub("/+$", ""))]
  local problems = body and problems_of(content:getBytes(0, content:length()), body) or {}
  return #problems > 0 and table.concat(problems, "; ") or nil
end

function envoy_on_request(request)
  -- Envoy lets a request pass when its script fails.
  local ok, why = pcall(refusal, request)
  if not ok then
    request:logErr(why)
    request:respond({ [":status"] = "500" }, "The body could not be checked")
  elseif why then
    request:respond({ [":status"] = "400" }, why)
  end
end
