package portals.mongo;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;

import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import org.h2.mvstore.MVStore;

/** Starts the stand-in on port 27017 with its data in one file of a directory. */
public final class Main {

    private static final String NAME = "mongo.mv";
    /** Names that may be in the directory: the store, an unfinished store, and what a file system creates. */
    private static final List<String> ALLOWED = List.of(NAME, NAME + ".new", "lost+found");
    /** Threads for commands. The more run at once, the more share one write to the disk. */
    private static final int WORKERS = 16;

    private Main() {
    }

    /** Arguments: the directory, the user, the database that the user belongs to, the file of the password. */
    public static void main(String[] arguments) throws IOException {
        Authentication authentication = new Authentication(arguments[1], password(Path.of(arguments[3])), arguments[2]);
        Path store = prepare(Path.of(arguments[0]));
        GroupCommit commit = new GroupCommit(open(store));
        commit.compact();
        DurableBackend backend = new DurableBackend(commit, authentication);
        backend.version(new Version());
        MongoServer server = new MongoServer(backend);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            System.out.println("mongo: stopping");
            commit.markEnding();
            server.shutdownNow();
            System.out.println("mongo: stopped");
        }));
        server.bind(new InetSocketAddress("0.0.0.0", 27017), 1, WORKERS);
        System.out.println("mongo: ready on port 27017. This is mongo-java-server with H2, which STANDS IN for MongoDB:"
            + " one node, no sessions, no transactions");
        commit.compactEvery(10_000);
    }

    /** The password. Exits with a message if there is none, because the server would serve everybody. */
    private static char[] password(Path file) {
        String found;
        try {
            found = Files.readString(file).strip();
        } catch (IOException error) {
            found = "";
        }
        if (found.isEmpty()) {
            System.err.println("mongo: " + file + " is missing or empty, expected the user's password");
            System.exit(1);
        }
        return found.toCharArray();
    }

    /** The store's file, created atomically. Exits with a message if the directory has foreign files. */
    private static Path prepare(Path folder) throws IOException {
        Path store = folder.resolve(NAME);
        if (Files.exists(store)) {
            return store;
        }
        try (Stream<Path> entries = Files.list(folder)) {
            entries.map(each -> each.getFileName().toString()).filter(each -> !ALLOWED.contains(each)).findFirst()
                .ifPresent(each -> {
                    System.err.println("mongo: " + folder + " holds files that this image did not make (" + each
                        + "); nothing was changed. Move them away: a real MongoDB's files cannot be read here");
                    System.exit(1);
                });
        }
        System.out.println("mongo: initialising an empty " + folder);
        // A kill during the first write leaves a file that cannot be opened.
        Path unfinished = folder.resolve(NAME + ".new");
        Files.deleteIfExists(unfinished);
        MVStore fresh = open(unfinished);
        fresh.commit();
        fresh.sync();
        fresh.close();
        return Files.move(unfinished, store, StandardCopyOption.ATOMIC_MOVE);
    }

    /** A store that commits only when GroupCommit asks for it. */
    private static MVStore open(Path file) {
        return new MVStore.Builder()
            .fileName(file.toString())
            .cacheSize(16)
            .autoCommitDisabled()
            .autoCommitBufferSize(0)
            .open();
    }

    /** Reports 4.4: current drivers refuse the 4.0 that mongo-java-server reports. */
    private static final class Version implements MongoVersion {
        @Override
        public List<Integer> getVersionArray() {
            return List.of(4, 4, 0);
        }

        @Override
        public int getWireVersion() {
            return 9;
        }
    }
}
