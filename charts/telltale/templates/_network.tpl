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
