{{/* The name of all objects. */}}
{{- define "counters.name" -}}
{{- printf "%s" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "counters.selector" -}}
app.kubernetes.io/name: counters
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "counters.labels" -}}
{{ include "counters.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{/* Not empty if the port for OTLP and HTTP is there: other machines may use it only with a token. */}}
{{- define "counters.otlp" -}}
{{- if and .Values.otlpPort .Values.http.tokenSecret }}yes{{ end -}}
{{- end -}}

{{/* The names under which the page and the API are reached: those of the Service, and settings.http-names. */}}
{{- define "counters.httpNames" -}}
{{- $name := include "counters.name" . -}}
{{- $inNamespace := printf "%s.%s" $name .Release.Namespace -}}
{{- $names := list $name $inNamespace (printf "%s.svc" $inNamespace) (printf "%s.svc.cluster.local" $inNamespace) -}}
{{- with index .Values.settings "http-names" }}{{ $names = append $names . }}{{ end -}}
{{- join "," $names -}}
{{- end -}}

{{/* The pod of a collector, for both kinds of workload. */}}
{{- define "counters.pod" -}}
metadata:
  labels:
    {{- include "counters.selector" . | nindent 4 }}
  {{- with .Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  automountServiceAccountToken: false
  # Kubernetes would set COUNTERS_PORT and others for a service of that name.
  enableServiceLinks: false
  # It ends within 5 s, after the pause of preStop.
  terminationGracePeriodSeconds: 30
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  containers:
    - name: collector
      image: "{{ required "image.repository: set it to the image that you pushed, such as registry.example/counters/collector" .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        {{- if .Values.fleet.enabled }}
        - --ledger={{ required "fleet.ledger: set it to kafka://HOST:PORT,HOST:PORT" .Values.fleet.ledger }}
        - --instance=$(POD_NAME)
        {{- end }}
        {{- if include "counters.otlp" . }}
        - --otlp-port={{ .Values.otlpPort }}
        - --otlp-bind=0.0.0.0
        {{- end }}
        {{- if .Values.http.tokenSecret }}
        - --http-bind=0.0.0.0
        - {{ printf "--http-names=%s" (include "counters.httpNames" .) | quote }}
        {{- end }}
        {{- if and (index .Values.settings "tls-certificate") (has "http" (splitList "," (index .Values.settings "tls-ports" | default "http"))) }}
        {{- fail "settings.tls-ports: leave out http, because the probes in the pod have no TLS; for example tcp,otlp" }}
        {{- end }}
        {{- range $flag, $value := .Values.settings }}
        {{- if has $flag (list "udp-port" "tcp-port" "http-port" "http-bind" "otlp-port" "otlp-bind" "data-dir" "ledger" "instance") }}
        {{- fail (printf "settings.%s: the chart sets it" $flag) }}
        {{- end }}
        {{- if and (eq $flag "http-names") $.Values.http.tokenSecret }}
        {{- /* It is above. */}}
        {{- else if kindIs "float64" $value }}
        - {{ printf "--%s=%d" $flag (int64 $value) | quote }}
        {{- else }}
        - {{ printf "--%s=%v" $flag $value | quote }}
        {{- end }}
        {{- end }}
      env:
        - name: POD_NAME
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        {{- with .Values.http.tokenSecret }}
        - name: COUNTERS_TOKEN
          valueFrom:
            secretKeyRef:
              name: {{ . }}
              key: token
        {{- end }}
        {{- with .Values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports:
        - name: counts-udp
          containerPort: 11212
          protocol: UDP
        - name: counts-tcp
          containerPort: 11212
          protocol: TCP
        {{- if include "counters.otlp" . }}
        - name: otlp
          containerPort: {{ .Values.otlpPort }}
          protocol: TCP
        {{- end }}
        {{- if .Values.http.tokenSecret }}
        - name: http
          containerPort: 11213
          protocol: TCP
        {{- end }}
      {{- if .Values.fleet.enabled }}
      # Until all nodes know that this pod ends, it gets datagrams, and takes them.
      lifecycle:
        preStop:
          exec:
            command: [sleep, "10"]
      {{- end }}
      # The page may be on loopback, so these run in the container. Readiness is that of the process, too: a collector whose disk
      # or store fails must still receive, because lines without totals are counted in memory.
      startupProbe:
        exec:
          command: [/opt/counters/healthy, "11213"]
        periodSeconds: 2
        failureThreshold: {{ .Values.startupFailureThreshold }}
      livenessProbe:
        exec:
          command: [/opt/counters/healthy, "11213"]
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        exec:
          command: [/opt/counters/healthy, "11213"]
        periodSeconds: 10
        timeoutSeconds: 5
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
      volumeMounts:
        - name: ledger
          mountPath: /var/lib/counters
        - name: tmp
          mountPath: /tmp
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    - name: tmp
      emptyDir:
        sizeLimit: 128Mi
    {{- if .Values.fleet.enabled }}
    - name: ledger
      emptyDir: {}
    {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if .Values.fleet.enabled }}
  # On different nodes, if that is possible.
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "counters.selector" . | nindent 10 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
