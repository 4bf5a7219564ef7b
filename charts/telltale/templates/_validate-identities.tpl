{{/*
What is wrong with who issues identities, and for how long, as a YAML list of texts. Parameters: Values.
*/}}
{{- define "telltale.wrongIdentities" -}}
{{- $wrong := list -}}
{{- if and .Values.mtls (not .Values.sidecars) -}}
  {{- $wrong = append $wrong "mtls: true, but sidecars is false; the apps leave TLS to an Envoy beside them, ours or another mesh's; set mtls: false" -}}
{{- end -}}
{{- with .Values.identities -}}
  {{- if gt (mul 4 .leafHours) (mul 24 .authorityDays) -}}
    {{- $wrong = append $wrong (printf "identities.leafHours: %v h is more than a quarter of identities.authorityDays (%v); leaves must have ended before their authority, of which a change takes a third; lower it or raise the other" .leafHours .authorityDays) -}}
  {{- end -}}
  {{- if and (eq .issuer "cert-manager") (not .certManager.issuerRef.name) -}}
    {{- $wrong = append $wrong "identities.certManager.issuerRef.name: is empty, but identities.issuer is cert-manager; name an Issuer or a ClusterIssuer that signs with a CA" -}}
  {{- end -}}
  {{- if and (ne .issuer "cert-manager") .certManager.issuerRef.name -}}
    {{- $wrong = append $wrong (printf "identities.certManager.issuerRef.name: %s would not be used, because identities.issuer is %s; set identities.issuer: cert-manager or remove the name" .certManager.issuerRef.name .issuer) -}}
  {{- end -}}
{{- end -}}
{{- toYaml $wrong -}}
{{- end }}
