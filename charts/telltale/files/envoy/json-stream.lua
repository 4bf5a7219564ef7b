-- Ends a JSON array with the error of its stream. The transcoder ends every array with "]", whatever status the stream has: its HTTP
-- status has been sent long ago, and a caller could not tell a stream that was cut short from one that has ended.
--
-- Two filters run this. The one below the transcoder sees the stream's trailers before the transcoder does, and notes a status
-- that is not OK. The one above it then sees what the transcoder makes of the trailers, the end of the array.

local NOTE = "telltale.json-stream"

-- A percent-encoded grpc-message as it was; bytes that are no UTF-8, which JSON must not have, become U+FFFD.
local function decoded(message)
  local bytes = message:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
  local text = bytes:gsub("[\128-\255]+", function(run)
    local at, parts = 1, {}
    while at <= #run do
      local _, last = run:find("^[\194-\223][\128-\191]", at)
      if not last then _, last = run:find("^\224[\160-\191][\128-\191]", at) end
      if not last then _, last = run:find("^\237[\128-\159][\128-\191]", at) end
      if not last then _, last = run:find("^[\225-\236\238\239][\128-\191][\128-\191]", at) end
      if not last then _, last = run:find("^\240[\144-\191][\128-\191][\128-\191]", at) end
      if not last then _, last = run:find("^[\241-\243][\128-\191][\128-\191][\128-\191]", at) end
      if not last then _, last = run:find("^\244[\128-\143][\128-\191][\128-\191]", at) end
      parts[#parts + 1] = last and run:sub(at, last) or "\239\191\189"
      at = (last or at) + 1
    end
    return table.concat(parts)
  end)
  return text
end

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(byte) return ("\\u%04x"):format(byte:byte()) end) .. '"'
end

local function status_of(trailers)
  local code = trailers and trailers:get("grpc-status") or ""
  if not code:find("^%d+$") then return "2", "the stream has ended without a status" end
  return code, decoded(trailers:get("grpc-message") or "")
end

-- Notes a status that is not OK; a stream without one has not ended well either. Headers that hold the status are all of an
-- answer: the transcoder makes it the HTTP status.
local function note_status(response)
  if response:headers():get("grpc-status") then return end
  local code, message = status_of(response:trailers()) -- waits; messages pass meanwhile
  if tonumber(code) == 0 then return end
  local status = '{"code":' .. tonumber(code) .. ',"message":' .. quoted(message) .. ',"details":[]}'
  response:streamInfo():dynamicMetadata():set(NOTE, "status", status)
end

-- Puts the error in front of the "]" of the part of the answer that comes after the note, which is the last.
local function end_array(response)
  for chunk in response:bodyChunks() do
    local noted = response:streamInfo():dynamicMetadata():get(NOTE)
    if noted then
      local text = chunk:getBytes(0, chunk:length()):match("^(.*)%]$") or "["
      chunk:setBytes(text .. (text == "[" and "" or ",") .. '{"error":' .. noted.status .. "}]")
      return
    end
  end
end

function envoy_on_response(response)
  local is_json = response:headers():get("content-type") == "application/json"
  return (is_json and end_array or note_status)(response)
end
