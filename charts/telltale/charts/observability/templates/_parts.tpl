{{- /* Helpers whose names begin with "telltale" are those of the chart around this one, in its templates. */}}

{{/*
The parts that are installed, as a YAML list of names. Parameters: Values.
*/}}
{{- define "observability.parts" -}}
{{- range list "prometheus" "jaeger" "grafana" }}
{{- if (index $.Values .).enabled }}
- {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{/*
A file under files/, with its templates rendered. Parameters: root, file.
*/}}
{{- define "observability.file" -}}
{{- tpl (.root.Files.Get (printf "files/%s" .file)) (set . "Template" .root.Template) | trim }}
{{- end }}

{{/*
The URL that Grafana asks for metrics; empty when there is none. Parameters: Values.
*/}}
{{- define "observability.prometheusUrl" -}}
{{- .Values.grafana.prometheusUrl | default (ternary "http://prometheus:9090" "" .Values.prometheus.enabled) }}
{{- end }}

{{/*
The URL that Grafana asks for traces; empty when there is none. Parameters: Values.
*/}}
{{- define "observability.jaegerUrl" -}}
{{- .Values.grafana.jaegerUrl | default (ternary "http://jaeger:16686" "" .Values.jaeger.enabled) }}
{{- end }}

{{/*
The Secret with the password of Grafana's user admin. Parameters: Values.
*/}}
{{- define "observability.grafanaSecret" -}}
{{- .Values.grafana.existingSecret | default "grafana" }}
{{- end }}

{{/*
A Deployment of one pod, down to the fields of its spec that stand before its containers. What such a pod knows is in its memory
or on a volume of its own, so there are never two: the old one goes first. Parameters: root, name, user (the uid), config (the text
whose change rolls the pod), token (true for who asks the Kubernetes API).
*/}}
{{- define "observability.deployment" -}}
{{- $part := include "telltale.part" . | fromYaml -}}
{{- $shared := dict "Values" (dict "image" (dict "pullSecrets" .root.Values.pullSecrets)) -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .name }}
  labels:
    {{- include "telltale.labels" $part | nindent 4 }}
spec:
  replicas: 1
  strategy: {type: Recreate}
  selector:
    matchLabels:
      {{- include "telltale.selectorLabels" $part | nindent 6 }}
  template:
    metadata:
      {{- include "telltale.podMetadata" (dict "root" $shared "part" $part "config" .config) | nindent 6 }}
    spec:
      {{- include "telltale.podSpec" (dict "root" $shared "account" .name "user" .user "graceSeconds" 30 "token" .token) | nindent 6 }}
{{- end }}

{{/*
The metadata of an object of a part. Parameters: root, part, name (the part's by default).
*/}}
{{- define "observability.metadata" -}}
name: {{ .name | default .part }}
labels:
  {{- include "telltale.labels" (include "telltale.part" (dict "root" .root "name" .part) | fromYaml) | nindent 2 }}
{{- end }}

{{/*
The variable by which Go keeps a process below its limit of memory, as long as it can: nine tenths of it. The parameter is the
limit.
*/}}
{{- define "observability.memoryEnv" -}}
- name: GOMEMLIMIT
  value: {{ mulf 0.9 (include "telltale.amount" . | float64) | int64 | quote }}
{{- end }}

{{/*
The name of the ConfigMap of a dashboard. The parameter is the path of its file.
*/}}
{{- define "observability.dashboardName" -}}
grafana-dashboard-{{ base . | trimSuffix ".json" }}
{{- end }}

{{/*
The metadata of an object for the Prometheus operator, with the labels by which it chooses. Parameters: root, part, name (the
part's by default).
*/}}
{{- define "observability.operatorMetadata" -}}
{{ include "observability.metadata" . }}
  {{- range $label, $value := .root.Values.operator.labels }}
  {{ $label }}: {{ $value | quote }}
  {{- end }}
{{- end }}

{{/*
The rule by which Grafana reaches a data source: a pod of the chart's own, or anybody at the URL's port. Empty without a URL.
Parameters: root, url, own (the part that is meant when no other is).
*/}}
{{- define "observability.urlEgress" -}}
{{- with .url }}
{{- $parsed := urlParse . }}
{{- $port := regexFind ":[0-9]+$" $parsed.host | trimPrefix ":" | default (ternary "443" "80" (eq $parsed.scheme "https")) -}}
- ports: [{protocol: TCP, port: {{ $port }}}]
  {{- if not (index $.root.Values.grafana (printf "%sUrl" $.own)) }}
  to:
    {{- include "telltale.peers" (dict "root" $.root "names" (list $.own)) | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}
