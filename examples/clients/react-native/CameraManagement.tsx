import { useCallback, useEffect, useMemo, useState } from "react";
import { Button, Image, ScrollView, StyleSheet, Text, TextInput, View } from "react-native";
import { type AlertEvent, CameraClient, type Cameras, type FoundCamera } from "../camera-client";

interface Props {
  /** Of the server, such as `http://192.168.1.10:1880`. */
  readonly url: string;
  /** An API key with the role admin; keep it in the platform's key store, never in the source. */
  readonly apiKey: string;
}

const REFRESH_MS = 5_000;
const MOST_ALERTS = 20;

/** Finds cameras, registers them, runs detection on them and shows how they are. */
export default function CameraManagement({ url, apiKey }: Props) {
  const client = useMemo(() => new CameraClient({ url, key: apiKey }), [url, apiKey]);
  const [cameras, setCameras] = useState<Cameras>({});
  const [found, setFound] = useState<readonly FoundCamera[]>([]);
  const [subnet, setSubnet] = useState("192.168.1.0/24");
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [progress, setProgress] = useState<number>();
  const [alerts, setAlerts] = useState<readonly AlertEvent[]>([]);
  const [problem, setProblem] = useState("");

  /** Every message of the server says what is wrong and what to do: show it as it is. */
  const attempt = useCallback(async (work: () => Promise<unknown>) => {
    try {
      await work();
      setProblem("");
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  }, []);

  const loadCameras = useCallback(async () => setCameras((await client.list()).cameras), [client]);

  useEffect(() => {
    void attempt(loadCameras);
    const interval = setInterval(() => void attempt(loadCameras), REFRESH_MS);
    return () => clearInterval(interval);
  }, [attempt, loadCameras]);

  useEffect(() => {
    const socket = client.connect();
    socket.on("alert", (alert) => setAlerts((known) => [alert, ...known].slice(0, MOST_ALERTS)));
    socket.on("discovery-progress", (event) => {
      if (event.type === "progress") setProgress(event.progress);
    });
    socket.on("connect_error", (error) => setProblem(error.message));
    return () => void socket.disconnect();
  }, [client]);

  const discover = () =>
    attempt(async () => {
      setProgress(0);
      try {
        setFound((await client.discover(subnet)).cameras);
      } finally {
        setProgress(undefined);
      }
    });

  const register = (camera: FoundCamera) =>
    attempt(async () => {
      await client.register({
        camera_id: `cam_${Date.now()}`,
        name: camera.ip,
        url: camera.url,
        protocol: camera.protocol,
        ...(username !== "" && { username, password }),
      });
      await loadCameras();
    });

  const toggleDetection = (id: string, isDetecting: boolean) =>
    attempt(async () => {
      await (isDetecting ? client.stopDetection([id]) : client.startDetection([id]));
      await loadCameras();
    });

  return (
    <ScrollView style={styles.screen}>
      {problem !== "" && <Text style={styles.problem}>{problem}</Text>}

      <TextInput
        placeholder="Subnet, such as 192.168.1.0/24"
        value={subnet}
        onChangeText={setSubnet}
        style={styles.input}
      />
      <TextInput
        placeholder="User of the cameras"
        value={username}
        onChangeText={setUsername}
        autoCapitalize="none"
        style={styles.input}
      />
      <TextInput
        placeholder="Password of the cameras"
        value={password}
        onChangeText={setPassword}
        secureTextEntry
        style={styles.input}
      />
      <Button
        title={progress === undefined ? "Discover cameras" : `Looking … ${Math.round(progress * 100)} %`}
        disabled={progress !== undefined}
        onPress={discover}
      />

      <Text style={styles.heading}>Discovered ({found.length})</Text>
      {found.map((camera) => (
        <View key={camera.url} style={styles.card}>
          <Text>
            {camera.ip} - {camera.protocol}:{camera.port}
          </Text>
          <Button title="Register" onPress={() => register(camera)} />
        </View>
      ))}

      <Text style={styles.heading}>Registered ({Object.keys(cameras).length})</Text>
      {Object.entries(cameras).map(([id, camera]) => (
        <View key={id} style={styles.card}>
          <Text>{camera.name}</Text>
          <Text>{camera.connected ? "Connected" : (camera.reason?.message ?? "Disconnected")}</Text>
          <Text>
            FPS: {camera.fps} | Alerts: {camera.alerts}
          </Text>
          <Button
            title={camera.detecting ? "Stop detection" : "Start detection"}
            onPress={() => toggleDetection(id, camera.detecting)}
          />
        </View>
      ))}

      <Text style={styles.heading}>Gestures for review ({alerts.length})</Text>
      {alerts.map((alert) => (
        <View key={alert.alert_id} style={styles.card}>
          {alert.snapshot !== null && (
            <Image source={{ ...client.imageSource(alert.snapshot) }} style={styles.picture} />
          )}
          <Text>
            {cameras[alert.camera_id]?.name ?? alert.camera_id}, {new Date(alert.timestamp).toLocaleTimeString()}
          </Text>
          <Text>{alert.reasons.join(", ")}</Text>
        </View>
      ))}
    </ScrollView>
  );
}

const styles = StyleSheet.create({
  screen: { flex: 1, padding: 20 },
  problem: { color: "#b00020", marginBottom: 10 },
  input: { borderWidth: 1, padding: 10, marginBottom: 10 },
  heading: { fontSize: 18, fontWeight: "bold", marginTop: 20, marginBottom: 10 },
  card: { borderWidth: 1, padding: 10, marginBottom: 10 },
  picture: { width: "100%", aspectRatio: 16 / 9 },
});
