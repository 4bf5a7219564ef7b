-- Refuses JSON requests whose path and query are not what the contract allows, before their body has come. It stands after
-- json-requests.lua, which is generated, json-values.lua, json-uri.lua and json-refuse.lua.

function envoy_on_request(request)
  refuse(request, function()
    local headers = request:headers()
    local verb, path, query = headers:get(":method"), headers:get(":path"):match("^([^?]*)%??(.*)$")
    local binding, held = binding_of(verb, path)
    local problems = binding and problems_of_uri(binding, held, query) or {}
    return #problems > 0 and table.concat(problems, "; ") or nil
  end)
end
