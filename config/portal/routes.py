"""Which host name and path of a portal leads to which of its services, and the load balancer's files for it."""

from dataclasses import dataclass

from config.tenant.tenant import Tenant
from config.values.host_names import below_lms

# Inside the container, which may not bind ports below 1024.
LISTEN_PORT = 8080
HEALTH_PORT = 8081
STATIC_PATHS = ("/static/*", "/media/*")
HTTP_PORT = 80
STATIC = f"""
	@static path {" ".join(STATIC_PATHS)}
	handle @static {{
		import up nginx 8000
	}}"""


@dataclass(frozen=True, kw_only=True)
class Route:
    """Requests for `host` go to `service`, those for static files to nginx. `body_limit` bounds an upload, in bytes."""

    host: str
    service: str
    port: int
    body_limit: int
    static: bool = False


def hosts(tenant: Tenant) -> dict[str, str]:
    """The host name of each service that browsers talk to."""
    named = {
        "lms": tenant.hosts.lms,
        "cms": tenant.hosts.cms,
        **below_lms(tenant.hosts.lms, tenant.services),
        "mail-sink": tenant.hosts.mail,
    }
    return {service: host for service, host in named.items() if service in tenant.services}


def routes(tenant: Tenant) -> tuple[Route, ...]:
    """The routes of a portal. Body limits are Open edX's own (4 MB for learners, 250 MB for authors)."""
    services = tenant.services
    named = [*hosts(tenant).items(), *([("lms", preview(tenant))] if tenant.real else [])]
    return tuple(
        Route(
            host=host,
            service=service,
            port=services[service].port,
            body_limit=250_000_000 if service == "cms" else 4_000_000,
            # Without an nginx the image of lms and cms serves them itself.
            static=service in ("lms", "cms") and "nginx" in services,
        )
        for service, host in named
    )


def preview(tenant: Tenant) -> str:
    """Where edx-platform's lms shows authors what is not published yet."""
    return below_lms(tenant.hosts.lms, ("preview",))["preview"]


def host_and_port(host: str, port: int) -> str:
    """A host as browsers send it: with its port unless that is HTTP's own."""
    return host if port == HTTP_PORT else f"{host}:{port}"


def addresses(tenant: Tenant) -> dict[str, str]:
    """The URL of each service that people open."""
    return {
        service: f"http://{host_and_port(host, tenant.listen.port)}"
        for service, host in hosts(tenant).items()
    }


def nginx_sites(all_routes: tuple[Route, ...]) -> str:
    """nginx's part of the load balancer built here (images/load-balancer): what it takes whole for each host.

    Any other host may send no body; Caddy's answer to it is 404.
    """
    servers = [("_", 1000, " default_server"), *((each.host, each.body_limit, "") for each in all_routes)]
    return "".join(
        f"""server {{
	listen unix:/tmp/door/http.sock proxy_protocol{default};
	server_name {host};
	client_max_body_size {limit};
	include /etc/door/common.conf;
}}
"""
        for host, limit, default in servers
    )


def caddyfile(all_routes: tuple[Route, ...]) -> str:
    """Caddy's part of the load balancer; a host that is not the portal's gets 404.

    By itself, as a public image of Caddy runs it, it listens at LISTEN_PORT. The image built here has nginx there, and
    tells it another place in PORTAL_BIND and PORTAL_PORT.
    """
    port = f"{{$PORTAL_PORT:{LISTEN_PORT}}}"
    sites = "".join(
        f"""
http://{each.host}:{port} {{
	request_body {{
		max_size {each.body_limit}
	}}{STATIC if each.static else ""}
	handle {{
		import up {each.service} {each.port}
	}}
}}
"""
        for each in all_routes
    )
    return f"""{{
	auto_https off
	admin off
	grace_period 20s
	default_bind {{$PORTAL_BIND:0.0.0.0}}
	# What an error says of a request may hold tokens: in its address, in its referrer.
	log default {{
		format filter {{
			wrap json
			fields {{
				request>uri delete
				request>headers delete
				resp_headers delete
			}}
		}}
	}}
	servers {{
		protocols h1 h2
		# Nobody but an nginx before it, in the same container, may say who the client is.
		trusted_proxies static 127.0.0.1/32
		# An upload of 250 MB takes its time on a slow line; what is slower than that has no end of its own here.
		timeouts {{
			read_header 15s
			read_body 1h
			idle 75s
		}}
		max_header_size 64KB
	}}
}}

(up) {{
	reverse_proxy {{
		dynamic a {{
			name {{args[0]}}
			port {{args[1]}}
			refresh 1s
			dial_timeout 1s
			resolvers 127.0.0.11
		}}
		# A service that is being replaced answers within seconds: hold the request rather than fail it.
		lb_try_duration 30s
		lb_try_interval 250ms
		header_up X-Forwarded-For {{client_ip}}
		transport http {{
			dial_timeout 1s
			# A request on a kept connection to a process that just ended would be lost.
			keepalive off
		}}
	}}
}}
{sites}
http://:{HEALTH_PORT} {{
	respond /healthz 200
}}

http://:{port} {{
	respond "No portal answers to this name." 404
}}
"""
