"""A camera for tests: GStreamer's RTSP server on loopback, with a moving test picture.

Reads one JSON object from standard input, so that no password is on a command line:
  port        0 picks a free one
  auth        "none", "basic" or "digest"
  username, password
  transports  "both", "tcp" or "udp": what the server is willing to speak
  stallAfter  seconds after which /stall goes quiet while its session stays up
  clip        an MP4 of H.264 that /clip plays
  tls         key and certificate in PEM, one after the other: makes it RTSPS

Mounts: /live (320x180, 10 pictures a second, H.264), /wide (640x360), /sound (with sound first), /stall, /clip,
/Streaming/Channels/102 and /cam/realmonitor (as /live),
/jpeg (MJPEG), /shared (/live, encoded once for all), and /hevc (H.265) where x265 is there. RTSP in HTTP is understood on the same port.
Prints one line, {"port": ...}, when it listens, {"mostConnecting": ...} whenever more clients than ever before are
connected and do not play yet, and ends when standard input closes.
With --check it only says by its exit status whether it could run here.
"""
import json
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer

Gst.init(None)

PICTURES_PER_SECOND = 10
PICTURES = (
    "videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width={width},height={height},"
    "framerate={rate}/1 ! {middle}"
)
H264 = (
    "x264enc tune=zerolatency speed-preset=ultrafast threads=1 key-int-max={rate} "
    "! video/x-h264,profile=baseline ! rtph264pay name=pay{number} pt=96 config-interval=-1"
)
H265 = (
    "x265enc tune=zerolatency speed-preset=ultrafast key-int-max={rate} option-string=pools=1:frame-threads=1 "
    "! h265parse ! rtph265pay name=pay{number} pt=96 config-interval=-1"
)
JPEG = "jpegenc ! rtpjpegpay name=pay{number} pt=26"
SOUND = "audiotestsrc is-live=true ! audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay name=pay0 pt=8 "


def launch_line(width, height, middle="", codec=H264, before="", number=0):
    line = f"( {before}{PICTURES}{codec} )"
    return line.format(width=width, height=height, rate=PICTURES_PER_SECOND, middle=middle, number=number)


def close_valve_later(seconds):
    def configure(_factory, media):
        valve = media.get_element().get_by_name("valve")
        GLib.timeout_add(int(seconds * 1000), lambda: valve.set_property("drop", True) or False)

    return configure


def mount(server, settings, path, line, configure=None, shared=False):
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(line)
    factory.set_shared(shared)
    factory.set_latency(0)
    transports = {"tcp": GstRtsp.RTSPLowerTrans.TCP, "udp": GstRtsp.RTSPLowerTrans.UDP}
    if settings["transports"] in transports:
        factory.set_protocols(transports[settings["transports"]])
    if configure:
        factory.connect("media-configure", configure)
    if settings["auth"] != "none" or "tls" in settings:
        role = "user,media.factory.access=(boolean)true,media.factory.construct=(boolean)true"
        factory.add_role_from_structure(Gst.Structure.new_from_string(role))
    server.get_mount_points().add_factory(path, factory)


def protect(server, settings):
    if settings["auth"] == "none" and "tls" not in settings:
        return
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    auth = GstRtspServer.RTSPAuth()
    if "tls" in settings:
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_pem(settings["tls"], -1))
    if settings["auth"] == "none":
        auth.set_default_token(token)
    elif settings["auth"] == "basic":
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(settings["username"], settings["password"]), token)
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
    else:
        auth.add_digest(settings["username"], settings["password"], token)
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    server.set_auth(auth)


def count_connecting(server):
    connecting = set()
    most = 0

    def connected(_server, client):
        nonlocal most
        connecting.add(client)
        client.connect("play-request", lambda *_: connecting.discard(client))
        client.connect("closed", lambda *_: connecting.discard(client))
        if len(connecting) > most:
            most = len(connecting)
            print(json.dumps({"mostConnecting": most}), flush=True)

    server.connect("client-connected", connected)


def stop_when_input_closes(loop):
    channel = GLib.IOChannel.unix_new(sys.stdin.fileno())
    GLib.io_add_watch(channel, GLib.PRIORITY_DEFAULT, GLib.IOCondition.HUP, lambda *_: loop.quit())


def main():
    if "--check" in sys.argv:
        needed = ("videotestsrc", "x264enc", "rtph264pay", "valve")
        sys.exit(0 if all(Gst.ElementFactory.find(name) for name in needed) else 1)

    settings = {"port": 0, "auth": "none", "transports": "both", "stallAfter": 1, **json.loads(sys.stdin.readline())}
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(settings["port"]))
    mount(server, settings, "/live", launch_line(320, 180))
    for path in ("/Streaming/Channels/102", "/cam/realmonitor"):
        mount(server, settings, path, launch_line(320, 180))
    mount(server, settings, "/wide", launch_line(640, 360))
    mount(server, settings, "/shared", launch_line(320, 180), shared=True)
    mount(server, settings, "/sound", launch_line(320, 180, before=SOUND, number=1))
    mount(server, settings, "/jpeg", launch_line(320, 180, codec=JPEG))
    if Gst.ElementFactory.find("x265enc"):
        mount(server, settings, "/hevc", launch_line(320, 180, codec=H265))
    stall = close_valve_later(settings["stallAfter"])
    mount(server, settings, "/stall", launch_line(320, 180, "valve name=valve !"), stall)
    if "clip" in settings:
        mount(server, settings, "/clip", f"( filesrc location={settings['clip']} ! qtdemux ! h264parse ! rtph264pay name=pay0 pt=96 )")
    protect(server, settings)
    count_connecting(server)
    if server.attach(None) == 0:
        sys.exit(f"cannot listen on 127.0.0.1:{settings['port']}")
    print(json.dumps({"port": server.get_bound_port()}), flush=True)
    loop = GLib.MainLoop()
    stop_when_input_closes(loop)
    loop.run()


main()
