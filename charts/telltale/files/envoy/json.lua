-- Refuses JSON bodies that the transcoder would take though they are not what the contract and RFC 8259 allow. It stands after
-- json-requests.lua, which is generated, json-values.lua, json-uri.lua, json-body.lua and json-refuse.lua.

for _, binding in ipairs(bindings) do
  local whole = binding.body == "*"
  local field = binding.body and not whole and messages[binding.message][binding.body]
  binding.holds = field and { name = field.name, message = field.message } or whole and { name = "", message = binding.message }
end

-- Why a request is refused; nil when it is not. Its path and query are right: json-target.lua.
local function refusal(request)
  local headers = request:headers()
  local verb, path = headers:get(":method"), headers:get(":path"):match("^[^?]*")
  local content = request:body() -- waits, after which `headers` is dead
  if not content or content:length() == 0 then return nil end
  if verb == "GET" then return "A GET must have no body here: the path and the query say all" end
  local binding = binding_of(verb, path)
  local problems = binding and problems_of(content:getBytes(0, content:length()), binding.holds) or {}
  return #problems > 0 and table.concat(problems, "; ") or nil
end

function envoy_on_request(request)
  refuse(request, refusal)
end
