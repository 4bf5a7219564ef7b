{{/*
What is wrong with the list of services, as a YAML list of texts. Parameters: Values.
*/}}
{{- define "telltale.wrongServices" -}}
{{- $wrong := list -}}
{{- $reserved := list "edge" "app" "admin" "endpoints" "serviceb" "postgresql" "check" "issuer" "default-deny" "otlp" "prometheus" "jaeger" "grafana" -}}
{{- $there := include "telltale.services" . | fromYaml -}}
{{- $names := keys $there | sortAlpha | join ", " -}}
{{- $protos := dict -}}
{{- range $name, $service := .Values.services -}}
  {{- $path := printf "services.%s" $name -}}
  {{- if has $name $reserved -}}
    {{- $wrong = append $wrong (printf "%s: the name is taken by the chart itself; choose one that is not %s" $path (join ", " $reserved)) -}}
  {{- end -}}
  {{- if hasSuffix "-l4" $name -}}
    {{- $wrong = append $wrong (printf "%s: names that end in -l4 are taken by the chart itself, for Services that experiments compare; choose another" $path) -}}
  {{- end -}}
  {{- if hasKey $protos $service.proto -}}
    {{- $wrong = append $wrong (printf "%s.proto: %s is also that of services.%s; two services cannot answer for one; correct one of the two" $path $service.proto (get $protos $service.proto)) -}}
  {{- end -}}
  {{- $_ := set $protos $service.proto $name -}}
  {{- range $service.upstreams -}}
    {{- if eq . $name -}}
      {{- $wrong = append $wrong (printf "%s.upstreams: %s is the service itself; a service does not call itself through the mesh; remove it" $path .) -}}
    {{- else if not (hasKey $there .) -}}
      {{- $wrong = append $wrong (printf "%s.upstreams: %s is no service; an upstream must be a key of services (%s); add it there or remove it here" $path . $names) -}}
    {{- end -}}
  {{- end -}}
  {{- if gt (trimSuffix "s" $service.deadline.default | float64) (trimSuffix "s" $service.deadline.max | float64) -}}
    {{- $wrong = append $wrong (printf "%s.deadline.default: %s is longer than deadline.max (%s); the default must not be longer; lower it or raise deadline.max" $path $service.deadline.default $service.deadline.max) -}}
  {{- end -}}
{{- end -}}
{{- /* A service without upstreams is in no cycle; nor is one all of whose upstreams are in none. What is left over goes round. */ -}}
{{- $settled := dict -}}
{{- range .Values.services -}}
  {{- range $name, $service := $.Values.services -}}
    {{- $open := list -}}
    {{- range $service.upstreams -}}
      {{- if and (hasKey $.Values.services .) (ne . $name) (not (hasKey $settled .)) -}}
        {{- $open = append $open . -}}
      {{- end -}}
    {{- end -}}
    {{- if not $open -}}
      {{- $_ := set $settled $name true -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- $cyclic := without (keys .Values.services | sortAlpha) -}}
{{- range keys $settled -}}
  {{- $cyclic = without $cyclic . -}}
{{- end -}}
{{- range $cyclic -}}
  {{- $wrong = append $wrong (printf "services.%s.upstreams: %s leads into a cycle (%s); calls must not go round; remove one of these upstreams" . (index $.Values.services . "upstreams" | join ", ") (join ", " $cyclic)) -}}
{{- end -}}
{{- toYaml $wrong -}}
{{- end }}
