package portals.mongo;

import java.util.List;
import java.util.Locale;
import java.util.Set;

import de.bwaldvogel.mongo.bson.BinData;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerError;
import io.netty.channel.Channel;
import io.netty.util.AttributeKey;

/**
 * Refuses commands of a connection until it has proved to know the password. Only the commands by which clients log
 * in are free, and a few that show nothing but that a server runs.
 *
 * <p>As with MongoDB, the user belongs to one database, and clients authenticate against that one.
 */
final class Authentication {

    /** Lower case. */
    private static final Set<String> FREE = Set.of("hello", "ismaster", "ping", "buildinfo");
    private static final AttributeKey<Scram.Conversation> CONVERSATION_KEY = AttributeKey.valueOf(Authentication.class, "conversation");
    private static final AttributeKey<Boolean> AUTHENTICATED = AttributeKey.valueOf(Authentication.class, "authenticated");
    /** The id of a conversation: a connection has one at a time. */
    private static final int CONVERSATION = 1;

    private final Scram scram;
    private final String user;
    private final String database;

    Authentication(String user, char[] password, String database) {
        this.scram = new Scram(user, password);
        this.user = user;
        this.database = database;
    }

    /** The answer to a log-in command; null for another command that the connection may send. Raises MongoServerError. */
    Document handle(Channel channel, String on, String command, Document query) {
        switch (command.toLowerCase(Locale.ROOT)) {
            case "saslstart":
                return start(channel, on, query);
            case "saslcontinue":
                return proceed(channel, query);
            case "logout":
                channel.attr(AUTHENTICATED).set(null);
                channel.attr(CONVERSATION_KEY).set(null);
                return withOk(new Document());
            default:
                check(channel, command);
                return null;
        }
    }

    /** Raises MongoServerError if the connection may not send the command. */
    void check(Channel channel, String command) {
        if (!FREE.contains(command.toLowerCase(Locale.ROOT)) && channel.attr(AUTHENTICATED).get() == null) {
            throw new MongoServerError(13, "Unauthorized", "command " + command + " requires authentication");
        }
    }

    /** The answer to a hello, with the mechanism if the client asks for it. */
    Document addMechanism(Document query, Document answer) {
        // The same for every user name, so that the answer does not show which user exists.
        if (query.get("saslSupportedMechs") instanceof String) {
            answer.put("saslSupportedMechs", List.of(Scram.MECHANISM));
        }
        return answer;
    }

    private Document start(Channel channel, String on, Document query) {
        channel.attr(CONVERSATION_KEY).set(null);
        if (!Scram.MECHANISM.equals(query.get("mechanism"))) {
            throw new MongoServerError(334, "MechanismUnavailable",
                "Received authentication for a mechanism which is not enabled; enabled is " + Scram.MECHANISM);
        }
        try {
            if (!database.equals(on)) {
                throw new Scram.Refused();
            }
            Scram.Conversation conversation = scram.new Conversation(payload(query));
            channel.attr(CONVERSATION_KEY).set(conversation);
            return step(conversation.challenge(), false);
        } catch (Scram.Refused refused) {
            throw authenticationFailed();
        }
    }

    private Document proceed(Channel channel, Document query) {
        Scram.Conversation conversation = channel.attr(CONVERSATION_KEY).getAndSet(null);
        try {
            if (conversation == null || !Integer.valueOf(CONVERSATION).equals(query.get("conversationId"))) {
                throw new Scram.Refused();
            }
            byte[] last = conversation.answer(payload(query));
            channel.attr(AUTHENTICATED).set(Boolean.TRUE);
            // Done: some clients would send one more empty message, but none requires it.
            return step(last, true);
        } catch (Scram.Refused refused) {
            throw authenticationFailed();
        }
    }

    private static byte[] payload(Document query) throws Scram.Refused {
        if (query.get("payload") instanceof BinData data) {
            return data.getData();
        }
        throw new Scram.Refused();
    }

    private MongoServerError authenticationFailed() {
        return new MongoServerError(18, "AuthenticationFailed", "Authentication failed.");
    }

    private static Document step(byte[] payload, boolean done) {
        Document answer = new Document("conversationId", CONVERSATION);
        answer.put("done", done);
        answer.put("payload", new BinData(payload));
        return withOk(answer);
    }

    private static Document withOk(Document answer) {
        answer.put("ok", 1.0);
        return answer;
    }
}
