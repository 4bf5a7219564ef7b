{{/*
The pods of these parts, as peers of a NetworkPolicy. Parameters: root, names.
*/}}
{{- define "telltale.peers" -}}
{{- range $i, $name := .names }}
{{- if $i }}
{{ end }}
{{- $part := include "telltale.part" (dict "root" $.root "name" $name) | fromYaml -}}
- podSelector:
    matchLabels:
      {{- include "telltale.selectorLabels" $part | nindent 6 }}
{{- end }}
{{- end }}

{{/*
The rule by which names can be resolved, by whatever answers DNS in this cluster. Parameters: none.
*/}}
{{- define "telltale.dnsEgress" -}}
- ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
{{- end }}

{{/*
The rule by which metrics may be asked for; empty when nobody asks. Parameters: root, ports (a list of numbers).
*/}}
{{- define "telltale.metricsIngress" -}}
{{- $root := .root }}
{{- $peers := list }}
{{- if include "telltale.observes" (dict "root" $root "part" "prometheus") }}
{{- $peers = include "telltale.peers" (dict "root" $root "names" (list "prometheus")) | fromYamlArray }}
{{- end }}
{{- if and $root.Values.observability.enabled $root.Values.observability.operator.podMonitors }}
{{- /* The labels that the operator gives to the pods of each Prometheus, wherever it runs. */}}
{{- $operated := dict "app.kubernetes.io/name" "prometheus" "app.kubernetes.io/managed-by" "prometheus-operator" }}
{{- $peers = append $peers (dict "namespaceSelector" dict "podSelector" (dict "matchLabels" $operated)) }}
{{- end }}
{{- if $peers -}}
- from:
    {{- toYaml $peers | nindent 4 }}
  ports:
    {{- range .ports }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- end }}
{{- end }}

{{/*
The rule by which spans reach the collector; empty when nobody collects them. Parameters: root, ports (keys of `tracing`).
*/}}
{{- define "telltale.otlpEgress" -}}
{{- $root := .root }}
{{- if include "telltale.collector" $root -}}
- ports:
    {{- range .ports }}
    - {protocol: TCP, port: {{ index $root.Values.tracing . }}}
    {{- end }}
  {{- if not $root.Values.tracing.collector }}
  to:
    {{- include "telltale.peers" (dict "root" $root "names" (list "jaeger")) | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}
