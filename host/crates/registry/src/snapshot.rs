//! What readers see: an immutable picture of everything that is routed.

use std::fmt;
use std::sync::Arc;

use patchbay_lease::{Gate, OwnedPass, Pass};
use patchbay_vocab::{Digest, NodeType, PluginName, RevisionNumber, Version};

use crate::change::Dependency;
use crate::chunked::Chunked;
use crate::detour::{Detour, Detours};
use crate::names::Names;

/// What is loaded, as far as the registry needs to know it.
pub trait Mounted: Send + Sync + 'static {
    /// The gate of this load; the same one every time, shared with no other load.
    fn gate(&self) -> &Arc<Gate>;
}

/// A node type as a small integer: stable for the life of the registry, never given to another node type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeSlot(u32);

impl NodeSlot {
    /// The integer, for tables beside the registry's (counters, caches).
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One load of one revision.
pub struct Mount<H> {
    plugin: PluginName,
    version: Version,
    revision: RevisionNumber,
    digest: Digest,
    nodes: Arc<[NodeType]>,
    dependencies: Arc<[Dependency]>,
    /// The handle's own gate, kept here to save readers a hop.
    gate: Arc<Gate>,
    handle: Arc<H>,
}

/// Which revision a mount is a load of.
pub(crate) struct Identity {
    pub(crate) plugin: PluginName,
    pub(crate) version: Version,
    pub(crate) revision: RevisionNumber,
    pub(crate) digest: Digest,
    pub(crate) nodes: Arc<[NodeType]>,
    pub(crate) dependencies: Arc<[Dependency]>,
}

impl<H: Mounted> Mount<H> {
    pub(crate) fn new(identity: Identity, handle: Arc<H>) -> Self {
        let Identity {
            plugin,
            version,
            revision,
            digest,
            nodes,
            dependencies,
        } = identity;
        let gate = Arc::clone(handle.gate());
        Self {
            plugin,
            version,
            revision,
            digest,
            nodes,
            dependencies,
            gate,
            handle,
        }
    }
}

impl<H> Mount<H> {
    /// The plugin this is a load of.
    #[must_use]
    pub fn plugin(&self) -> &PluginName {
        &self.plugin
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// Its revision.
    #[must_use]
    pub fn revision(&self) -> RevisionNumber {
        self.revision
    }

    /// The hash of the artifact.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The node types it offers; a [`Route`]'s node is an index into these.
    #[must_use]
    pub fn nodes(&self) -> &[NodeType] {
        &self.nodes
    }

    /// The index of a node type among those it offers.
    #[must_use]
    pub fn node_of(&self, node_type: &str) -> Option<u32> {
        let at = self.nodes.iter().position(|node| node.as_str() == node_type)?;
        u32::try_from(at).ok()
    }

    /// What it needs of other plugins.
    #[must_use]
    pub fn dependencies(&self) -> &[Dependency] {
        &self.dependencies
    }

    /// The gate of this load.
    #[inline]
    #[must_use]
    pub fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// What is loaded.
    #[inline]
    #[must_use]
    pub fn handle(&self) -> &Arc<H> {
        &self.handle
    }

    /// Begins a call; `None` when this load is draining or asleep: take the snapshot again, and have it woken when it is
    /// still this load that is routed.
    #[inline]
    pub fn enter(&self) -> Option<Pass<'_>> {
        self.gate.enter()
    }

    /// Whether its gate has been closed: it is on its way out, or, where it is still routed, asleep.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.gate.is_closed()
    }

    /// Like [`enter`](Self::enter), for a call that outlives the borrow.
    #[inline]
    pub fn enter_owned(&self) -> Option<OwnedPass> {
        self.gate.enter_owned()
    }
}

impl<H> fmt::Debug for Mount<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{} ({:?})", self.plugin, self.version, self.revision)
    }
}

/// Where the calls of one node type go.
pub struct Route<H> {
    mount: Arc<Mount<H>>,
    node: u32,
    pub(crate) detour: Option<Arc<Detour<H>>>,
}

impl<H> Route<H> {
    /// The load that answers.
    #[inline]
    #[must_use]
    pub fn mount(&self) -> &Arc<Mount<H>> {
        &self.mount
    }

    /// The index in the plugin's node list.
    #[inline]
    #[must_use]
    pub fn node(&self) -> u32 {
        self.node
    }
}

impl<H> Clone for Route<H> {
    fn clone(&self) -> Self {
        Self {
            mount: Arc::clone(&self.mount),
            node: self.node,
            detour: self.detour.clone(),
        }
    }
}

impl<H> fmt::Debug for Route<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}#{}", self.mount, self.node)
    }
}

/// Everything that is routed, at one generation.
pub struct Snapshot<H> {
    generation: u64,
    routes: Chunked<Route<H>>,
    node_names: Arc<Names<NodeType>>,
    live: Chunked<Arc<Mount<H>>>,
    plugin_names: Arc<Names<PluginName>>,
    /// In the places of the plugins.
    detours: Chunked<Arc<Detours<H>>>,
    detoured: usize,
}

/// What one plugin answers with in the next snapshot.
pub(crate) struct Answering<'a, H> {
    pub(crate) plugin: &'a PluginName,
    pub(crate) mount: Option<&'a Arc<Mount<H>>>,
    pub(crate) detours: Option<Arc<Detours<H>>>,
}

impl<H> Snapshot<H> {
    pub(crate) fn empty(generation: u64) -> Self {
        Self {
            detours: Chunked::new(),
            detoured: 0,
            generation,
            routes: Chunked::new(),
            node_names: Arc::new(Names::new()),
            live: Chunked::new(),
            plugin_names: Arc::new(Names::new()),
        }
    }

    /// The next snapshot, in which each of these plugins answers as it says.
    pub(crate) fn with<'a>(&self, answering: impl IntoIterator<Item = Answering<'a, H>>) -> Self
    where
        H: 'a,
    {
        let mut node_names = Arc::clone(&self.node_names);
        let mut plugin_names = Arc::clone(&self.plugin_names);
        // What is gone goes first: what a new version offers too, or another plugin now, is put back after it.
        let (mut gone, mut routes) = (Vec::new(), Vec::new());
        let (mut live, mut detours) = (Vec::new(), Vec::new());
        let mut detoured = self.detoured;
        for Answering {
            plugin,
            mount,
            detours: ways,
        } in answering
        {
            let old = self.plugin(plugin.as_str()).into_iter();
            let old = old.flat_map(|old| old.nodes());
            gone.extend(old.map(|node| (Names::intern(&mut node_names, node) as usize, None)));
            let ways = ways.filter(|_| mount.is_some());
            if let Some(mount) = mount {
                routes.extend((0_u32..).zip(mount.nodes()).map(|(node, name)| {
                    let detour = |ways| Arc::new(Detour::new(ways, name.as_str()));
                    let route = Route {
                        mount: Arc::clone(mount),
                        node,
                        detour: ways.as_ref().map(detour),
                    };
                    (Names::intern(&mut node_names, name) as usize, Some(route))
                }));
            }
            let place = Names::intern(&mut plugin_names, plugin) as usize;
            live.push((place, mount.cloned()));
            detoured += usize::from(ways.is_some());
            detoured = detoured.saturating_sub(usize::from(self.detours.get(place).is_some()));
            detours.push((place, ways));
        }
        Self {
            generation: self.generation + 1,
            routes: self.routes.with(gone.into_iter().chain(routes)),
            live: self.live.with(live),
            detours: self.detours.with(detours),
            detoured,
            node_names,
            plugin_names,
        }
    }

    /// This snapshot as somebody may see it for himself: each of `mounts` is what its plugin answers with. The rules of
    /// a promotion are not asked. A slot of a node type that this snapshot has never routed means something in the
    /// overlaid one alone.
    #[must_use]
    pub fn overlaid(&self, mounts: &[Arc<Mount<H>>]) -> Self {
        let answering = mounts.iter().map(|mount| Answering {
            plugin: mount.plugin(),
            mount: Some(mount),
            detours: None,
        });
        Self {
            generation: self.generation,
            ..self.with(answering)
        }
    }

    /// Where calls of plugins may go beside what is live of them.
    pub fn detours(&self) -> impl Iterator<Item = (&PluginName, &Arc<Detours<H>>)> {
        let all = (self.detoured > 0).then(|| self.detours.iter());
        all.into_iter()
            .flatten()
            .filter_map(|(place, ways)| Some((self.live.get(place)?.plugin(), ways)))
    }

    /// Counts the snapshots: each publication adds one.
    #[inline]
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The slot of a node type that is routed or once was; resolve it once and keep it.
    #[must_use]
    pub fn slot(&self, node_type: &str) -> Option<NodeSlot> {
        self.node_names.get(node_type).map(NodeSlot)
    }

    /// Where calls to `slot` go; `None` when nothing live offers it.
    #[inline]
    #[must_use]
    pub fn route(&self, slot: NodeSlot) -> Option<&Route<H>> {
        self.routes.get(slot.index())
    }

    /// The live load of a plugin.
    #[must_use]
    pub fn plugin(&self, name: &str) -> Option<&Arc<Mount<H>>> {
        self.live.get(self.plugin_names.get(name)? as usize)
    }

    /// Every live load, in the order in which their plugins first went live.
    pub fn plugins(&self) -> impl Iterator<Item = &Arc<Mount<H>>> {
        self.live.iter().map(|(_, mount)| mount)
    }

    /// Every node type that is routed, in the order of the slots.
    pub fn routes(&self) -> impl Iterator<Item = (&NodeType, NodeSlot, &Route<H>)> {
        self.routes.iter().filter_map(|(index, route)| {
            let slot = NodeSlot(u32::try_from(index).ok()?);
            Some((route.mount.nodes.get(route.node as usize)?, slot, route))
        })
    }
}

impl<H> Clone for Snapshot<H> {
    fn clone(&self) -> Self {
        Self {
            generation: self.generation,
            routes: self.routes.clone(),
            node_names: Arc::clone(&self.node_names),
            live: self.live.clone(),
            plugin_names: Arc::clone(&self.plugin_names),
            detours: self.detours.clone(),
            detoured: self.detoured,
        }
    }
}

impl<H> fmt::Debug for Snapshot<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("generation", &self.generation)
            .field("plugins", &self.plugins().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
