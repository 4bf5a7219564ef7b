-- Answers a request with 400 when `refusal` says why, and with 500 when that fails: Envoy lets a request pass when its script fails.
local function refuse(request, refusal)
  local ok, why = pcall(refusal, request)
  if not ok then
    request:logErr(why)
    request:respond({ [":status"] = "500" }, "The request could not be checked")
  elseif why then
    request:respond({ [":status"] = "400" }, why)
  end
end
