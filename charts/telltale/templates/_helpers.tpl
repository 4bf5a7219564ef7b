{{/*
Expand the name of the chart.
*/}}
{{- define "telltale.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/*
Create chart name and version as used by the chart label.
*/}}
{{- define "telltale.chart" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/*
Common labels
*/}}
{{- define "telltale.labels" -}}
helm.sh/chart: {{ include "telltale.chart" . }}
{{ include "telltale.selectorLabels" . }}
{{- if .Chart.AppVersion }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/*
Selector labels
*/}}
{{- define "telltale.selectorLabels" -}}
app.kubernetes.io/name: {{ include "telltale.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/*
The scaffold's helpers above name one thing, the chart. What has parts calls them with the context of a part:

  include "telltale.labels" (include "telltale.part" (dict "root" $ "name" "users") | fromYaml)
*/}}
{{- define "telltale.part" -}}
{{- dict "Chart" (dict "Name" .root.Chart.Name "Version" .root.Chart.Version "AppVersion" .root.Chart.AppVersion) "Release" .root.Release "Values" (dict "nameOverride" .name) | toYaml }}
{{- end }}

{{/*
One of the files under files/envoy, with its templates rendered. Parameters: root, file, and whatever else the file names in
its first line; it reaches them as .root, .name ... and may include other files in the same way.
*/}}
{{- define "telltale.envoyFile" -}}
{{- tpl (.root.Files.Get (printf "files/envoy/%s" .file)) (set . "Template" .root.Template) | trim }}
{{- end }}
