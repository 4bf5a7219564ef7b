{{/*
What is wrong with who reaches what: the edge, the gateway, the database; as a YAML list of texts. Parameters: Values.
*/}}
{{- define "telltale.wrongAccess" -}}
{{- $wrong := list -}}
{{- $services := include "telltale.services" . | fromYaml -}}
{{- range .Values.edge.upstreams -}}
  {{- if not (hasKey $services .) -}}
    {{- $wrong = append $wrong (printf "edge.upstreams: %s is no service; an upstream must be a key of services (%s); add it there or remove it here" . (keys $services | sortAlpha | join ", ")) -}}
  {{- end -}}
{{- end -}}
{{- with .Values.edge.service -}}
  {{- if and .nodePort (eq .type "ClusterIP") -}}
    {{- $wrong = append $wrong (printf "edge.service.nodePort: %v, but edge.service.type is ClusterIP, which has no port of the nodes; set the type to NodePort or remove the port" .nodePort) -}}
  {{- end -}}
{{- end -}}
{{- with .Values.edge.rateLimit -}}
  {{- if lt (int .burst) (int .callsPerSecond) -}}
    {{- $wrong = append $wrong (printf "edge.rateLimit.burst: %v is less than edge.rateLimit.callsPerSecond (%v); the bucket would never hold a second's calls; raise it" .burst .callsPerSecond) -}}
  {{- else if and .burst (not .callsPerSecond) -}}
    {{- $wrong = append $wrong (printf "edge.rateLimit.burst: %v would not be used, because edge.rateLimit.callsPerSecond is 0; set that, or remove the burst" .burst) -}}
  {{- end -}}
{{- end -}}
{{- if and .Values.edge.tls.secretName .Values.gateway.enabled -}}
  {{- $wrong = append $wrong (printf "edge.tls.secretName: %s, but gateway.enabled is true; the gateway's routes lead to the edge in plaintext; end TLS at the gateway and remove the Secret here, or have no gateway" .Values.edge.tls.secretName) -}}
{{- end -}}
{{- with .Values.gateway -}}
  {{- if .enabled -}}
    {{- if not .parentRefs -}}
      {{- $wrong = append $wrong "gateway.parentRefs: is empty, but gateway.enabled is true; a route belongs to a gateway; name one, such as [{name: eg}]" -}}
    {{- end -}}
    {{- if not (concat .httpHostnames .grpcHostnames) -}}
      {{- $wrong = append $wrong "gateway.httpHostnames: is empty, and so is gateway.grpcHostnames, but gateway.enabled is true; there is a route for each that has names; give one of them a name" -}}
    {{- end -}}
  {{- end -}}
  {{- range .httpHostnames -}}
    {{- if has . $.Values.gateway.grpcHostnames -}}
      {{- $wrong = append $wrong (printf "gateway.grpcHostnames: %s is also in gateway.httpHostnames; a gateway accepts only one of two routes of different kinds for a name; choose another for one of them" .) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if and .Values.database.existingSecret (ne .Values.storage "postgresql") -}}
  {{- $wrong = append $wrong (printf "database.existingSecret: %s would not be used, because storage is %s; set storage: postgresql or remove the Secret" .Values.database.existingSecret .Values.storage) -}}
{{- end -}}
{{- toYaml $wrong -}}
{{- end }}
