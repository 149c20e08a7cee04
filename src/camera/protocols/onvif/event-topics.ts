import type { CameraEventKind } from "../../device.ts";

/**
 * What a topic is about, by the ONVIF specifications (Imaging, Analytics, Device IO, Core) and by what
 * makers have added; the first that fits. Topics are compared without the prefixes of their namespaces.
 */
const TOPICS: readonly (readonly [RegExp, CameraEventKind])[] = [
  [/RuleEngine\/(CellMotionDetector|MotionRegionDetector|MotionDetector)\b/i, "motion"],
  [/VideoSource\/MotionAlarm/i, "motion"],
  [/VideoAnalytics\/(MotionDetection|Motion)\b/i, "motion"],
  [/(^|\/)(VMD|VideoMotion)/i, "motion"],
  [/LineDetector|LineCross|CrossLine|LineCounter|Tripwire/i, "line-crossing"],
  [
    /FieldDetector|Intrusion|RegionEntrance|RegionExiting|Loitering|ObjectsInside|FenceGuard|LoiteringGuard/i,
    "intrusion",
  ],
  [/People|Person|Human|Face|FigureDetect/i, "person"],
  [/Vehicle|LicensePlate|CarDetect/i, "vehicle"],
  [/Tamper|GlobalSceneChange|ImageTooBlurry|ImageTooDark|ImageTooBright|Defocus|SceneChange/i, "tamper"],
  [/SignalLoss|VideoLoss|VideoLost/i, "video-loss"],
  [/Trigger\/DigitalInput|IO\/(VirtualInput|VirtualPort|Port)\b|AlarmIn/i, "input"],
  [/Audio|Sound|Scream|Noise/i, "sound"],
  [/Storage|HardDisk|DiskFull|DiskError|Recording(Config|History)?\//i, "storage"],
  [/Motion/i, "motion"],
];

/** @param topic such as `tns1:RuleEngine/CellMotionDetector/Motion` */
export function kindOfTopic(topic: string): CameraEventKind {
  const path = topic.trim().replace(/[\w.-]+:/g, "");
  return TOPICS.find(([pattern]) => pattern.test(path))?.[1] ?? "other";
}
