{{/* What the release is made of, for the templates that have something to say of each part. */}}

{{/*
The Deployments and the pods of each, at least: a map of names to numbers, as YAML. Parameters: Values.
*/}}
{{- define "telltale.deployments" -}}
{{- $replicas := dict "edge" .Values.edge.replicas }}
{{- range $name, $service := .Values.services }}
{{- $_ := set $replicas $name $service.replicas }}
{{- end }}
{{- range .Values.autoscaling.deployments }}
{{- $_ := set $replicas . $.Values.autoscaling.minReplicas }}
{{- end }}
{{- toYaml $replicas }}
{{- end }}

{{/*
The names of the services that store, with a comma between them; empty when none does. Parameters: Values.
*/}}
{{- define "telltale.storing" -}}
{{- $storing := list }}
{{- range $name, $service := .Values.services }}
{{- if $service.stores }}{{ $storing = append $storing $name }}{{ end }}
{{- end }}
{{- join "," $storing }}
{{- end }}

{{/*
Not empty when the chart runs the database itself. Parameters: Values.
*/}}
{{- define "telltale.ownPostgresql" -}}
{{- if and (eq .Values.storage "postgresql") (not .Values.database.existingSecret) (include "telltale.storing" .) }}true{{ end }}
{{- end }}

{{/*
Not empty when this part of observability ("prometheus", "jaeger", "grafana") is installed too. Parameters: root, part.
*/}}
{{- define "telltale.observes" -}}
{{- with .root.Values.observability }}
{{- if and .enabled (index . $.part).enabled }}true{{ end }}
{{- end }}
{{- end }}

{{/*
The host of the collector of traces; empty when nobody collects them. Parameters: Values.
*/}}
{{- define "telltale.collector" -}}
{{- if .Values.tracing.collector }}
{{- .Values.tracing.collector }}
{{- else if include "telltale.observes" (dict "root" . "part" "jaeger") -}}
jaeger
{{- end }}
{{- end }}

{{/*
The Secret with the password of the chart's own PostgreSQL. Parameters: Values.
*/}}
{{- define "telltale.postgresqlSecret" -}}
{{- .Values.postgresql.existingSecret | default "postgresql" }}
{{- end }}
