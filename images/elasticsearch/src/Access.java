package portals.access;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.AccessController;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PrivilegedActionException;
import java.security.PrivilegedExceptionAction;
import java.util.Base64;
import java.util.List;
import java.util.function.UnaryOperator;

import org.opensearch.OpenSearchException;
import org.opensearch.client.node.NodeClient;
import org.opensearch.common.settings.Setting.Property;
import org.opensearch.common.settings.Setting;
import org.opensearch.common.settings.Settings;
import org.opensearch.common.util.concurrent.ThreadContext;
import org.opensearch.core.rest.RestStatus;
import org.opensearch.plugins.ActionPlugin;
import org.opensearch.plugins.Plugin;
import org.opensearch.rest.BytesRestResponse;
import org.opensearch.rest.RestChannel;
import org.opensearch.rest.RestHandler;
import org.opensearch.rest.RestRequest;

/**
 * Answers 401 to each HTTP request without the user's name and password (HTTP Basic).
 *
 * <p>OpenSearch's own security plugin needs certificates between nodes and an index of users. Here is one node with one
 * user, and only the container reaches its transport port.
 */
public final class Access extends Plugin implements ActionPlugin {

    static final Setting<String> USER = Setting.simpleString("portals.access.user", Property.NodeScope);
    static final Setting<String> FILE = Setting.simpleString("portals.access.password_file", Property.NodeScope);

    private final byte[] expected;

    /** Raises without a password, so that the node does not start and serve everybody. */
    public Access(Settings settings) {
        String password = read(FILE.get(settings));
        if (USER.get(settings).isEmpty() || password.isEmpty()) {
            throw new OpenSearchException("portals.access.user or the password in portals.access.password_file is empty");
        }
        String both = USER.get(settings) + ":" + password;
        expected = digest("Basic " + Base64.getEncoder().encodeToString(both.getBytes(StandardCharsets.UTF_8)));
    }

    @Override
    public List<Setting<?>> getSettings() {
        return List.of(USER, FILE);
    }

    @Override
    public UnaryOperator<RestHandler> getRestHandlerWrapper(ThreadContext context) {
        return Guarded::new;
    }

    /** Wraps a handler of OpenSearch's with the check of the password. */
    private final class Guarded extends RestHandler.Wrapper {

        private final RestHandler inner;

        private Guarded(RestHandler inner) {
            super(inner);
            this.inner = inner;
        }

        @Override
        public void handleRequest(RestRequest request, RestChannel channel, NodeClient client) throws Exception {
            List<String> headers = request.getHeaders().entrySet().stream()
                .filter(each -> each.getKey().equalsIgnoreCase("Authorization"))
                .flatMap(each -> each.getValue().stream()).toList();
            // Compares digests in constant time, so that the duration says nothing of the password.
            if (headers.size() == 1 && MessageDigest.isEqual(digest(headers.get(0)), expected)) {
                inner.handleRequest(request, channel, client);
                return;
            }
            BytesRestResponse refused = new BytesRestResponse(RestStatus.UNAUTHORIZED, "a name and password are needed");
            refused.addHeader("WWW-Authenticate", "Basic realm=\"search\"");
            channel.sendResponse(refused);
        }
    }

    private static String read(String file) {
        try {
            // With the permissions of this class (plugin-security.policy), not those of the caller.
            return AccessController.doPrivileged(
                (PrivilegedExceptionAction<String>) () -> Files.readString(Path.of(file)).strip());
        } catch (PrivilegedActionException error) {
            throw new OpenSearchException("the password file " + file + " cannot be read", error.getException());
        }
    }

    private static byte[] digest(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
