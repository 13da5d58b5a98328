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

/** The H2 backend, with two differences: it knows whom it serves, and the answer to a write leaves after the disk has it. */
final class DurableBackend extends H2Backend {

    /** Commands that change nothing, lower case; every other one waits for the disk. */
    private static final Set<String> READS = Set.of("find", "getmore", "count", "distinct", "listcollections",
        "listindexes", "listdatabases", "collstats", "dbstats", "validate", "ping", "ismaster", "hello", "buildinfo",
        "serverstatus", "whatsmyuri", "getlog", "connectionstatus", "killcursors", "endsessions", "hostinfo",
        "getcmdlineopts", "getfreemonitoringstatus", "replsetgetstatus");

    private final GroupCommit commit;
    private final Doorkeeper doorkeeper;

    DurableBackend(GroupCommit commit, Doorkeeper doorkeeper) {
        super(commit.store());
        this.commit = commit;
        this.doorkeeper = doorkeeper;
    }

    @Override
    public Document handleCommand(Channel channel, String database, String command, Document query) {
        Document own = doorkeeper.handle(channel, database, command, query);
        if (own != null) {
            return own;
        }
        switch (command.toLowerCase(Locale.ROOT)) {
            case "hello":
                return doorkeeper.greet(query, run(channel, database, "ismaster", query))
                    .append("isWritablePrimary", Boolean.TRUE);
            case "ismaster":
                return doorkeeper.greet(query, run(channel, database, command, query));
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
            // The name alone: the rest is a user's data.
            System.err.println("mongo: the command " + command + " failed");
            unexpected.printStackTrace();
            throw unexpected;
        }
    }

    @Override
    public QueryResult handleQuery(MongoQuery query) {
        doorkeeper.check(query.getChannel(), "find");
        return commit.read(() -> super.handleQuery(query));
    }

    @Override
    public Collection<Document> getCurrentOperations(MongoQuery query) {
        doorkeeper.check(query.getChannel(), "currentOp");
        return super.getCurrentOperations(query);
    }

    /** Asked in the protocol's oldest way, which says not whose connection it is. */
    @Override
    public Document getServerStatus() {
        throw new MongoServerException("serverStatus is to be asked by OP_MSG");
    }
}
