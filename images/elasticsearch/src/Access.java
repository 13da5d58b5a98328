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
 * Every request over HTTP brings the one user's name and password (Basic), or is answered 401.
 *
 * <p>OpenSearch's own security plugin asks for certificates between nodes and an index of users; this is one node with
 * one user, whose other door (the transport port) is open to the container alone.
 */
public final class Access extends Plugin implements ActionPlugin {

    static final Setting<String> USER = Setting.simpleString("portals.access.user", Property.NodeScope);
    static final Setting<String> FILE = Setting.simpleString("portals.access.password_file", Property.NodeScope);

    private final byte[] expected;

    /** The node does not start without a password: it would serve everybody. */
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

    /** A handler of OpenSearch's behind the question for the password; what it is otherwise, it stays. */
    private final class Guarded extends RestHandler.Wrapper {

        private final RestHandler behind;

        private Guarded(RestHandler behind) {
            super(behind);
            this.behind = behind;
        }

        @Override
        public void handleRequest(RestRequest request, RestChannel channel, NodeClient client) throws Exception {
            List<String> brought = request.getHeaders().entrySet().stream()
                .filter(each -> each.getKey().equalsIgnoreCase("Authorization"))
                .flatMap(each -> each.getValue().stream()).toList();
            // Digests: how long a comparison takes tells neither how much of it was right nor how long it is.
            if (brought.size() == 1 && MessageDigest.isEqual(digest(brought.get(0)), expected)) {
                behind.handleRequest(request, channel, client);
                return;
            }
            BytesRestResponse refused = new BytesRestResponse(RestStatus.UNAUTHORIZED, "a name and password are needed");
            refused.addHeader("WWW-Authenticate", "Basic realm=\"search\"");
            channel.sendResponse(refused);
        }
    }

    private static String read(String file) {
        try {
            // With this class's own rights (plugin-security.policy), not with those of whoever starts the node.
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
