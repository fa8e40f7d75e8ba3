//! What is known of every item (see `roster`) beside whether it counts.

/// Stands for no endpoint.
const NO_ENDPOINT: u32 = u32::MAX;

/// Weights, identities and endpoints by item. The first items are the endpoints.
#[derive(Debug, Default)]
pub(super) struct Items {
    weights: Vec<u32>,
    /// What sticky steps know each by.
    identities: Vec<u64>,
    /// The endpoints of the items after the endpoints themselves.
    endpoints: Vec<u32>,
    /// By endpoint the first one that gives the same answer.
    twins: Vec<u32>,
}

impl Items {
    /// Adds an endpoint, and returns its item. All endpoints come before all others.
    pub fn push_endpoint(&mut self, weight: u32, identity: u64, twin: Option<u32>) -> u32 {
        let item = self.push(weight, identity);
        self.twins.push(twin.unwrap_or(item));
        item
    }

    /// Adds another item for an endpoint.
    pub fn push_stand_in(&mut self, endpoint: u32, weight: u32, identity: u64) -> u32 {
        self.endpoints.push(endpoint);
        self.push(weight, identity)
    }

    /// Adds an item for a member pool.
    pub fn push_member(&mut self, weight: u32, identity: u64) -> u32 {
        self.push_stand_in(NO_ENDPOINT, weight, identity)
    }

    fn push(&mut self, weight: u32, identity: u64) -> u32 {
        self.weights.push(weight);
        self.identities.push(identity);
        self.weights.len() as u32 - 1
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    #[inline]
    pub fn weight(&self, item: u32) -> u32 {
        self.weights.get(item as usize).copied().unwrap_or_default()
    }

    #[inline]
    pub fn identity(&self, item: u32) -> u64 {
        self.identities.get(item as usize).copied().unwrap_or_default()
    }

    /// The endpoint of an item; none of a member pool.
    #[inline]
    pub fn endpoint(&self, item: u32) -> Option<u32> {
        match (item as usize).checked_sub(self.twins.len()) {
            None => Some(item),
            Some(index) => self.endpoints.get(index).copied().filter(|&endpoint| endpoint != NO_ENDPOINT),
        }
    }

    /// The first endpoint that gives the same answer.
    pub fn twin(&self, endpoint: u32) -> u32 {
        self.twins.get(endpoint as usize).copied().unwrap_or(endpoint)
    }
}
