{{/*
What is wrong with who collects metrics and traces, as a YAML list of texts. Parameters: Values.
*/}}
{{- define "telltale.wrongObservability" -}}
{{- $wrong := list -}}
{{- range $key, $port := dict "grpcPort" 4317 "httpPort" 4318 -}}
  {{- $given := index $.Values.tracing $key -}}
  {{- if and (not $.Values.tracing.collector) (ne (int $given) $port) -}}
    {{- $wrong = append $wrong (printf "tracing.%s: %v would not be used, because tracing.collector is empty, and the chart's own Jaeger listens on %d; name a collector or remove the port" $key $given $port) -}}
  {{- end -}}
{{- end -}}
{{- with .Values.observability -}}
  {{- if .enabled -}}
    {{- if and $.Values.networkPolicies (not .networkPolicies) -}}
      {{- $wrong = append $wrong "observability.networkPolicies: false, but networkPolicies is true; that denies every pod of the release what no policy allows it, these pods too; set both alike" -}}
    {{- end -}}
    {{- range list "prometheus" "jaeger" "grafana" -}}
      {{- $resources := (index $.Values.observability .).resources -}}
      {{- $wrong = concat $wrong (include "telltale.wrongResources" (dict "path" (printf "observability.%s.resources" .) "resources" $resources) | fromYamlArray) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- toYaml $wrong -}}
{{- end }}
