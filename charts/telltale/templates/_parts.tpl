{{/* What the release is made of, for the templates that have something to say of each part. */}}

{{/*
The services that there are, as YAML: the entries of `services`, but for those that run experiments while `experiments` is off. Who
runs experiments may be called by every other service, to send it call records. Parameters: Values.
*/}}
{{- define "telltale.services" -}}
{{- $experimenters := include "telltale.experimenters" . | splitList "," | compact }}
{{- $services := dict }}
{{- range $name, $service := .Values.services }}
{{- if has $name $experimenters }}
{{- $_ := set $services $name $service }}
{{- else if not $service.runsExperiments }}
{{- $_ := set $services $name (merge (dict "upstreams" (concat $service.upstreams $experimenters)) $service) }}
{{- end }}
{{- end }}
{{- toYaml $services }}
{{- end }}

{{/*
The names of the services that run experiments, with a comma between them; empty while `experiments` is off. Parameters: Values.
*/}}
{{- define "telltale.experimenters" -}}
{{- $names := list }}
{{- range $name, $service := .Values.services }}
{{- if and $.Values.experiments $service.runsExperiments }}{{ $names = append $names $name }}{{ end }}
{{- end }}
{{- join "," $names }}
{{- end }}

{{/*
The services that the edge leads to, as YAML. Parameters: Values.
*/}}
{{- define "telltale.edgeUpstreams" -}}
{{- concat .Values.edge.upstreams (include "telltale.experimenters" . | splitList "," | compact) | uniq | toYaml }}
{{- end }}

{{/*
The Deployments and the pods of each, at least: a map of names to numbers, as YAML. Parameters: Values.
*/}}
{{- define "telltale.deployments" -}}
{{- $replicas := dict "edge" .Values.edge.replicas }}
{{- range $name, $service := include "telltale.services" . | fromYaml }}
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
Not empty when the sidecars lead to that database, by mutual TLS. Parameters: Values.
*/}}
{{- define "telltale.leadsToDatabase" -}}
{{- if and .Values.mtls (include "telltale.ownPostgresql" .) }}true{{ end }}
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
