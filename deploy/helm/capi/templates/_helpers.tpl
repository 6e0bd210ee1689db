{{- define "capi.name" -}}
{{- $name := printf "%s-%s" .Release.Name .Chart.Name -}}
{{- if contains .Chart.Name .Release.Name }}{{ $name = .Release.Name }}{{ end -}}
{{- $name | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{- define "capi.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "capi.name" .) }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end -}}
{{- end }}

{{- define "capi.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "capi.labels" -}}
{{ include "capi.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* The servers of one role: dict "root" . "role" "api" "of" .Values.api */}}
{{- define "capi.deployment" -}}
{{- $ := .root -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "capi.name" $ }}-{{ .role }}
  labels:
    {{- include "capi.labels" $ | nindent 4 }}
    app.kubernetes.io/component: {{ .role }}
spec:
  replicas: {{ .of.replicas }}
  # A new server must be ready before an old one stops. Both work with the database of the new one.
  strategy:
    type: RollingUpdate
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }
  selector:
    matchLabels:
      {{- include "capi.selector" $ | nindent 6 }}
      app.kubernetes.io/component: {{ .role }}
  template:
    metadata:
      labels:
        {{- include "capi.labels" $ | nindent 8 }}
        app.kubernetes.io/component: {{ .role }}
      {{- with $.Values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      serviceAccountName: {{ include "capi.serviceAccount" $ }}
      automountServiceAccountToken: false
      {{- with $.Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      terminationGracePeriodSeconds: {{ $.Values.terminationGracePeriodSeconds }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        runAsGroup: 65532
        fsGroup: 65532
        fsGroupChangePolicy: OnRootMismatch
        seccompProfile: { type: RuntimeDefault }
      containers:
        - name: capi
          image: {{ printf "%s:%s" $.Values.image.repository $.Values.image.tag | quote }}
          imagePullPolicy: {{ $.Values.image.pullPolicy }}
          args: [serve, --role, {{ .role }}]
          env:
            - name: CAPI_ADDR
              value: ":8080"
            - name: CAPI_METRICS_ADDR
              value: ":9464"
            - name: CAPI_DATA
              value: /data
            - name: CAPI_KEY_FILE
              value: /etc/capi/links.key
            - name: CAPI_PUBLIC_URL
              value: {{ $.Values.publicURL | quote }}
            - name: CAPI_FILES
              value: {{ $.Values.files.url | quote }}
            {{- with $.Values.index.url }}
            - name: CAPI_INDEX
              value: {{ . | quote }}
            {{- end }}
            {{- if $.Values.index.caSecret }}
            - name: CAPI_INDEX_CA_FILE
              value: /etc/capi-index/ca.crt
            {{- end }}
            - name: CAPI_SHUTDOWN_DELAY
              value: {{ $.Values.shutdownDelay | quote }}
            - name: CAPI_DRAIN_TIMEOUT
              value: {{ $.Values.drainTimeout | quote }}
            - name: CAPI_DB
              valueFrom:
                secretKeyRef: { name: {{ $.Values.database.existingSecret | quote }}, key: {{ $.Values.database.key | quote }} }
            {{- range $name, $value := $.Values.settings }}
            - name: {{ $name }}
              value: {{ $value | toString | quote }}
            {{- end }}
          {{- if or $.Values.files.existingSecret $.Values.index.existingSecret $.Values.settingsFromSecrets }}
          envFrom:
            {{- with $.Values.index.existingSecret }}
            - secretRef: { name: {{ . | quote }} }
            {{- end }}
            {{- with $.Values.files.existingSecret }}
            - secretRef: { name: {{ . | quote }} }
            {{- end }}
            {{- range $.Values.settingsFromSecrets }}
            - secretRef: { name: {{ . | quote }} }
            {{- end }}
          {{- end }}
          ports:
            - { name: http, containerPort: 8080 }
            - { name: metrics, containerPort: 9464 }
          startupProbe:
            httpGet: { path: /readyz, port: http }
            periodSeconds: 5
            failureThreshold: {{ mul $.Values.startupMinutes 12 }}
          readinessProbe:
            httpGet: { path: /readyz, port: http }
            periodSeconds: 5
            timeoutSeconds: 3
          # Alive means that the process answers. It stays alive while the database is away, because a restart would not help.
          livenessProbe:
            httpGet: { path: /healthz, port: http }
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          {{- with .of.resources }}
          resources:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
          volumeMounts:
            - { name: data, mountPath: /data }
            - { name: tmp, mountPath: /tmp }
            - { name: key, mountPath: /etc/capi, readOnly: true }
            {{- if $.Values.index.caSecret }}
            - { name: index-ca, mountPath: /etc/capi-index, readOnly: true }
            {{- end }}
      volumes:
        - name: data
          {{- if $.Values.index.storageClass }}
          ephemeral:
            volumeClaimTemplate:
              spec:
                accessModes: [ReadWriteOnce]
                storageClassName: {{ $.Values.index.storageClass | quote }}
                resources: { requests: { storage: {{ $.Values.index.size | quote }} } }
          {{- else }}
          emptyDir: { sizeLimit: {{ $.Values.index.size | quote }} }
          {{- end }}
        - name: tmp
          emptyDir: {}
        - name: key
          secret:
            secretName: {{ $.Values.key.existingSecret | quote }}
            items:
              - { key: {{ $.Values.key.file | quote }}, path: links.key }
        {{- with $.Values.index.caSecret }}
        - name: index-ca
          secret:
            secretName: {{ . | quote }}
            items:
              - { key: ca.crt, path: ca.crt }
        {{- end }}
      # Servers of one role on different machines, where there are several.
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "capi.selector" $ | nindent 14 }}
              app.kubernetes.io/component: {{ .role }}
      {{- with $.Values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $.Values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $.Values.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end }}
