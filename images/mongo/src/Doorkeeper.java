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
 * Lets a connection do nothing until it has proved that it knows the password: the commands by which clients do so
 * apart, and the few that tell no more than that a server is there.
 *
 * <p>As with MongoDB the user belongs to one database, which is the one to authenticate against.
 */
final class Doorkeeper {

    /** Lower case. */
    private static final Set<String> FREE = Set.of("hello", "ismaster", "ping", "buildinfo");
    private static final AttributeKey<Scram.Conversation> TALK = AttributeKey.valueOf(Doorkeeper.class, "talk");
    private static final AttributeKey<Boolean> KNOWN = AttributeKey.valueOf(Doorkeeper.class, "known");
    /** One at a time on a connection, so it needs no number of its own. */
    private static final int CONVERSATION = 1;

    private final Scram scram;
    private final String user;
    private final String database;

    Doorkeeper(String user, char[] password, String database) {
        this.scram = new Scram(user, password);
        this.user = user;
        this.database = database;
    }

    /** The answer to a command that is the doorkeeper's own; null where it is another's and may go on to it. */
    Document handle(Channel channel, String on, String command, Document query) {
        switch (command.toLowerCase(Locale.ROOT)) {
            case "saslstart":
                return start(channel, on, query);
            case "saslcontinue":
                return proceed(channel, query);
            case "logout":
                channel.attr(KNOWN).set(null);
                channel.attr(TALK).set(null);
                return okay(new Document());
            default:
                check(channel, command);
                return null;
        }
    }

    /** Raises where the connection may not run the command. */
    void check(Channel channel, String command) {
        if (!FREE.contains(command.toLowerCase(Locale.ROOT)) && channel.attr(KNOWN).get() == null) {
            throw new MongoServerError(13, "Unauthorized", "command " + command + " requires authentication");
        }
    }

    /** What a greeting is answered, with the mechanism for whoever asked for it. */
    Document greet(Document query, Document answer) {
        // The same for every name, so that nobody learns which there is.
        if (query.get("saslSupportedMechs") instanceof String) {
            answer.put("saslSupportedMechs", List.of(Scram.MECHANISM));
        }
        return answer;
    }

    private Document start(Channel channel, String on, Document query) {
        channel.attr(TALK).set(null);
        if (!Scram.MECHANISM.equals(query.get("mechanism"))) {
            throw new MongoServerError(334, "MechanismUnavailable",
                "Received authentication for a mechanism which is not enabled; enabled is " + Scram.MECHANISM);
        }
        try {
            if (!database.equals(on)) {
                throw new Scram.Refused();
            }
            Scram.Conversation talk = scram.new Conversation(payload(query));
            channel.attr(TALK).set(talk);
            return step(talk.challenge(), false);
        } catch (Scram.Refused refused) {
            throw failed();
        }
    }

    private Document proceed(Channel channel, Document query) {
        Scram.Conversation talk = channel.attr(TALK).getAndSet(null);
        try {
            if (talk == null || !Integer.valueOf(CONVERSATION).equals(query.get("conversationId"))) {
                throw new Scram.Refused();
            }
            byte[] last = talk.answer(payload(query));
            channel.attr(KNOWN).set(Boolean.TRUE);
            // Done, also for a client that would exchange one more, empty message: none waits for it.
            return step(last, true);
        } catch (Scram.Refused refused) {
            throw failed();
        }
    }

    private static byte[] payload(Document query) throws Scram.Refused {
        if (query.get("payload") instanceof BinData data) {
            return data.getData();
        }
        throw new Scram.Refused();
    }

    private MongoServerError failed() {
        return new MongoServerError(18, "AuthenticationFailed", "Authentication failed.");
    }

    private static Document step(byte[] payload, boolean done) {
        Document answer = new Document("conversationId", CONVERSATION);
        answer.put("done", done);
        answer.put("payload", new BinData(payload));
        return okay(answer);
    }

    private static Document okay(Document answer) {
        answer.put("ok", 1.0);
        return answer;
    }
}
