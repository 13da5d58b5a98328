package portals.mongo;

import java.util.Collection;
import java.util.Locale;
import java.util.Set;

import de.bwaldvogel.mongo.backend.QueryResult;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerException;
import de.bwaldvogel.mongo.wire.message.MongoQuery;
import io.netty.channel.Channel;

/** The H2 backend, with authentication, and with answers to writes only after the disk has them. */
final class DurableBackend extends H2Backend {

    /** Commands that only read, in lower case; each other command waits for the disk. */
    private static final Set<String> READS = Set.of("find", "getmore", "count", "distinct", "listcollections",
        "listindexes", "listdatabases", "collstats", "dbstats", "validate", "ping", "ismaster", "hello", "buildinfo",
        "serverstatus", "whatsmyuri", "getlog", "connectionstatus", "killcursors", "endsessions", "hostinfo",
        "getcmdlineopts", "getfreemonitoringstatus", "replsetgetstatus");

    private final GroupCommit commit;
    private final Authentication authentication;

    DurableBackend(GroupCommit commit, Authentication authentication) {
        super(commit.store());
        this.commit = commit;
        this.authentication = authentication;
    }

    @Override
    public Document handleCommand(Channel channel, String database, String command, Document query) {
        Document answer = authentication.handle(channel, database, command, query);
        if (answer != null) {
            return answer;
        }
        switch (command.toLowerCase(Locale.ROOT)) {
            case "hello":
                return authentication.addMechanism(query, run(channel, database, "ismaster", query))
                    .append("isWritablePrimary", Boolean.TRUE);
            case "ismaster":
                return authentication.addMechanism(query, run(channel, database, command, query));
            case "serverstatus":
                return super.getServerStatus();
            default:
                return run(channel, database, command, query);
        }
    }

    private Document run(Channel channel, String database, String command, Document query) {
        try {
            if (READS.contains(command.toLowerCase(Locale.ROOT))) {
                return commit.read(() -> super.handleCommand(channel, database, command, query));
            }
            return commit.write(() -> super.handleCommand(channel, database, command, query));
        } catch (MongoServerException refused) {
            throw refused;
        } catch (RuntimeException unexpected) {
            // Only its name: the rest is users' data.
            System.err.println("mongo: the command " + command + " failed");
            unexpected.printStackTrace();
            throw unexpected;
        }
    }

    @Override
    public QueryResult handleQuery(MongoQuery query) {
        authentication.check(query.getChannel(), "find");
        return commit.read(() -> super.handleQuery(query));
    }

    @Override
    public Collection<Document> getCurrentOperations(MongoQuery query) {
        authentication.check(query.getChannel(), "currentOp");
        return super.getCurrentOperations(query);
    }

    /** The oldest form of this request does not say which connection sent it. */
    @Override
    public Document getServerStatus() {
        throw new MongoServerException("serverStatus needs OP_MSG");
    }
}
