{{/* Who has an identity, and what issues them. */}}

{{/*
Not empty when the chart issues identities itself. Parameters: Values.
*/}}
{{- define "telltale.issues" -}}
{{- if and .Values.mtls (eq .Values.identities.issuer "chart") }}true{{ end }}
{{- end }}

{{/*
Who has an identity, as a YAML list of names: the services, the edge, the pod of `helm test`, and the chart's own database.
Parameters: Values.
*/}}
{{- define "telltale.identityNames" -}}
{{- $names := concat (keys (include "telltale.services" . | fromYaml)) (list "edge" "check") }}
{{- if include "telltale.ownPostgresql" . }}{{ $names = append $names "postgresql" }}{{ end }}
{{- sortAlpha $names | toYaml }}
{{- end }}

{{/*
Those of them whose callers look for their host name, too: clients of PostgreSQL know nothing of SPIFFE. Parameters: Values.
*/}}
{{- define "telltale.identityHosts" -}}
{{- if include "telltale.ownPostgresql" . }}{{ toYaml (list "postgresql") }}{{ else }}[]{{ end }}
{{- end }}

{{/*
The Secret with the identity of `name`.
*/}}
{{- define "telltale.identitySecret" -}}
{{ . }}-identity
{{- end }}

{{/*
What a Job of the issuer does: it looks whether all identities are as they should be, and writes those that are not. A second one
beside it does no harm, and where one was killed the next goes on. Parameters: root, part.
*/}}
{{- define "telltale.issuerJob" -}}
backoffLimit: 10
template:
  metadata:
    labels:
      {{- include "telltale.labels" .part | nindent 6 }}
  spec:
    {{- include "telltale.podSpec" (dict "root" .root "account" "issuer" "user" 65532 "graceSeconds" 5 "token" true) | nindent 4 }}
    restartPolicy: OnFailure
    containers:
      - name: issuer
        image: {{ include "telltale.image" .root }}
        imagePullPolicy: {{ .root.Values.image.pullPolicy }}
        workingDir: /app
        command: [node, --disable-proto=delete, services/issuer/main.ts]
        env:
          - name: TELLTALE_POD
            valueFrom: {fieldRef: {fieldPath: metadata.name}}
          - name: TELLTALE_LOG_LEVEL
            value: {{ .root.Values.logLevel }}
          - name: TELLTALE_NAMESPACE
            value: {{ .root.Release.Namespace | quote }}
          - name: TELLTALE_IDENTITIES
            value: {{ include "telltale.identityNames" .root | fromYamlArray | join "," }}
          - name: TELLTALE_IDENTITY_HOSTS
            value: {{ include "telltale.identityHosts" .root | fromYamlArray | join "," | quote }}
          {{- with .root.Values.identities }}
          - name: TELLTALE_LEAF_HOURS
            value: {{ .leafHours | int64 | quote }}
          - name: TELLTALE_AUTHORITY_DAYS
            value: {{ .authorityDays | int64 | quote }}
          - name: TELLTALE_SETTLE_MINUTES
            value: {{ .settleMinutes | int64 | quote }}
          {{- end }}
        securityContext:
          {{- include "telltale.containerSecurity" . | nindent 10 }}
        resources: {{- toYaml .root.Values.resources.issuer | nindent 10 }}
{{- end }}
