-- Answers HEAD as GET, without the body: the contracts have no HEAD.

local NAME = "head"

function envoy_on_request(request)
  request:headers():replace(":method", "GET")
  request:streamInfo():dynamicMetadata():set(NAME, "asked", true)
end

-- A stream is answered by its headers, too, and ends when it ends; to wait for its end would hold its headers back.
function envoy_on_response(response)
  -- Envoy comes here without the request, too, when it refuses one before the filters.
  if not response:streamInfo():dynamicMetadata():get(NAME) then return end
  for chunk in response:bodyChunks() do
    chunk:setBytes("")
  end
end
